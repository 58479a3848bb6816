//! The steps of `postkiln test`, in order.

use std::time::{Duration, Instant};

use postkiln_address::Address;
use postkiln_site::{DomainEntry, Engine, Expectation, Expected, Permission, Site};

use crate::random::random;

use super::report::Report;
use super::{Login, Target, imap, pop3, smtp};

/// Runs every step; a failure is recorded and the next step is tried.
pub(super) async fn all(site: &Site, target: &Target, report: &mut Report) {
    let Some(()) = report.step("SMTP answers and offers STARTTLS", answers(target)).await else { return };
    report.step("a stranger may not relay", no_relay(target)).await;
    for expectation in &site.expect {
        let expectation = &expectation.value;
        let name = format!("expect: mail from {} to {}", expectation.from, expectation.to);
        match unprovable(site, expectation) {
            Some(why) => report.skip(&name, &why),
            None => drop(report.step(&name, expect(site, target, expectation)).await),
        }
    }
    let Some(login) = &target.login else { return };
    let may = |permission| !denied(site, &login.user).contains(&permission);
    report.step("a wrong password is refused", wrong_password(target, login)).await;
    let token = token();
    let submitted = Probe::new(&token, "submitted", &login.user, &login.user);
    let received = Probe::new(&token, "received", STRANGER, &login.user);
    let sent = if may(Permission::Submission) {
        report.step("login on port 465", submissions(target, login)).await;
        report.step("submission by port 587", submit(target, login, &submitted)).await
    } else {
        report.step("login on port 465 is refused, as the site denies it", no_submission(target, login)).await;
        None
    };
    let came = if greylists(site) {
        report.skip("mail from outside by port 25", STRANGERS_WAIT);
        None
    } else {
        report.step("mail from outside by port 25", receive(target, &received)).await
    };
    for (probe, _) in [(&submitted, sent), (&received, came)].into_iter().filter(|(_, sent)| sent.is_some()) {
        if may(Permission::Imap) {
            report.step(&format!("{} mail over IMAP", probe.word), over_imap(target, login, probe)).await;
        }
        if may(Permission::Pop3) {
            report.step(&format!("{} mail over POP3", probe.word), over_pop3(target, login, probe)).await;
        }
    }
    if !may(Permission::Pop3) {
        report.step("POP3 is refused, as the site denies it", no_pop3(target, login)).await;
    }
    if site.antivirus.engine.value == Engine::Clamav && greylists(site) {
        report.skip("a virus is refused", STRANGERS_WAIT);
    } else if site.antivirus.engine.value == Engine::Clamav {
        report.step("a virus is refused", virus(target, &token, &login.user)).await;
    }
    if may(Permission::Imap) {
        report.step("the probes are removed", remove(target, login, &token)).await;
    } else {
        report.step("IMAP is refused, as the site denies it", no_imap(target, login)).await;
        report.skip("the probes are removed", "the site denies IMAP; they stay in the mailbox");
    }
}

/// The permissions that the site denies to a person, or to everybody in the domain.
fn denied(site: &Site, user: &str) -> Vec<Permission> {
    let Ok(address) = user.parse::<Address>() else { return Vec::new() };
    let Some(DomainEntry::Mail(mail)) = site.domains.get(address.domain()).map(|entry| &entry.value) else {
        return Vec::new();
    };
    let own = mail.users.iter().filter(|(name, _)| name.as_str().eq_ignore_ascii_case(address.local().as_str()));
    own.flat_map(|(_, user)| &user.value.deny).chain(&mail.deny).map(|permission| permission.value).collect()
}

/// The result of a step: a product and a sentence about it, or a sentence about the failure.
type Outcome<T = ()> = Result<(T, String), String>;

async fn answers(target: &Target) -> Outcome {
    let mut client = smtp::outside(target).await?;
    if !smtp::offers_starttls(&mut client).await? {
        return Err("STARTTLS is not offered on port 25".to_owned());
    }
    smtp::with_starttls(target, "smtp").await?;
    Ok(((), format!("as {}", target.hostname)))
}

async fn no_relay(target: &Target) -> Outcome {
    let mut client = smtp::outside(target).await?;
    match smtp::recipient(&mut client, STRANGER, "someone@elsewhere.invalid").await? {
        (code @ 500..=599, text) => Ok(((), format!("{code} {text}"))),
        (code, text) => Err(format!("answered {code} {text}: this is a relay, or cannot decide")),
    }
}

/// The reason why an expectation cannot be tested on the running server, if there is one.
fn unprovable(site: &Site, expectation: &Expectation) -> Option<String> {
    let is_ours = |address: &Address| site.domains.contains_key(address.domain());
    let by_login = expectation.authenticated.unwrap_or_else(|| is_ours(&expectation.from));
    if by_login && (!is_ours(&expectation.to) || expectation.result == Expected::Refused) {
        return Some(format!("it needs the login of {}", expectation.from));
    }
    expectation.client.map(|client| format!("it needs a client at {client}"))
}

/// Asks the running server about an address of an expectation. Where accepted mail ends was proved when compiling; the
/// report says that it is not proved here.
async fn expect(site: &Site, target: &Target, expectation: &Expectation) -> Outcome {
    let (from, to) = (expectation.from.to_string(), expectation.to.to_string());
    let mut client = smtp::outside(target).await?;
    let (code, text) = smtp::recipient(&mut client, &from, &to).await?;
    match (&expectation.result, code) {
        (Expected::Refused, 500..=599) => Ok(((), format!("{code} {text}"))),
        (Expected::Refused, _) => Err(format!("answered {code} {text}, not refused")),
        // Greylisting comes last: everything else has let the recipient pass.
        (Expected::Deferred, 450) if greylists(site) => Err(format!("answered {code} {text}, and then accepted")),
        (Expected::Deferred, 400..=499) => Ok(((), format!("{code} {text}"))),
        (Expected::Deferred, _) => Err(format!("answered {code} {text}, not deferred")),
        (_, 450) if greylists(site) => Ok(((), format!("{code} {text}; strangers have to come again"))),
        (_, 250) => Ok(((), format!("{code} {text}; where it ends is not proved here"))),
        _ => Err(format!("answered {code} {text}, not accepted")),
    }
}

/// Whether strangers have to come twice.
const fn greylists(site: &Site) -> bool {
    site.smtp.greylisting.is_some()
}

async fn wrong_password(target: &Target, login: &Login) -> Outcome {
    let mut client = smtp::with_starttls(target, "submission").await?;
    let wrong = Login { user: login.user.clone(), password: format!("not-{}", login.password) };
    is_refused(smtp::authenticate(&mut client, &wrong).await, "535")
}

async fn submissions(target: &Target, login: &Login) -> Outcome {
    let mut client = smtp::with_tls(target).await?;
    smtp::authenticate(&mut client, login).await?;
    Ok(((), format!("as {}", login.user)))
}

async fn no_submission(target: &Target, login: &Login) -> Outcome {
    let mut client = smtp::with_tls(target).await?;
    is_refused(smtp::authenticate(&mut client, login).await, "535")
}

async fn no_pop3(target: &Target, login: &Login) -> Outcome {
    is_refused(pop3::find(target, login, &[]).await.map(drop), "-ERR")
}

async fn no_imap(target: &Target, login: &Login) -> Outcome {
    is_refused(imap::Session::open(target, login).await.map(drop), "was answered NO")
}

/// Checks that a login failed because the server refused it with this word.
fn is_refused(login: Result<(), String>, word: &str) -> Outcome {
    match login {
        Ok(()) => Err("the login was accepted".to_owned()),
        Err(text) if text.contains(word) => Ok(((), text)),
        Err(text) => Err(text),
    }
}

async fn submit(target: &Target, login: &Login, probe: &Probe) -> Outcome {
    let mut client = smtp::with_starttls(target, "submission").await?;
    smtp::authenticate(&mut client, login).await?;
    accepted(smtp::send(&mut client, &login.user, &login.user, &probe.message).await?)
}

async fn receive(target: &Target, probe: &Probe) -> Outcome {
    let mut client = smtp::outside(target).await?;
    accepted(smtp::send(&mut client, STRANGER, &probe.to, &probe.message).await?)
}

fn accepted((code, text): (u16, String)) -> Outcome {
    if code == 250 { Ok(((), format!("{code} {text}"))) } else { Err(format!("answered {code} {text}")) }
}

async fn over_imap(target: &Target, login: &Login, probe: &Probe) -> Outcome {
    let began = Instant::now();
    let mut session = imap::Session::open(target, login).await?;
    loop {
        if let Some(uid) = session.search(&probe.subject).await?.first() {
            let message = session.fetch(*uid).await?;
            session.close().await?;
            let text = String::from_utf8_lossy(&message);
            let is_whole = text.contains(&probe.text) && text.contains("Received:");
            let said = format!("{} octets, UID {uid}", message.len());
            return if is_whole { Ok(((), said)) } else { Err(format!("not the message that was sent: {said}")) };
        }
        if began.elapsed() > target.wait {
            return Err(format!("not in the mailbox after {} s", target.wait.as_secs()));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn over_pop3(target: &Target, login: &Login, probe: &Probe) -> Outcome {
    let found = pop3::find(target, login, &[&probe.subject, &probe.text]).await?;
    let message = found.ok_or_else(|| "not in the maildrop".to_owned())?;
    Ok(((), format!("{} lines", message.lines().count())))
}

async fn virus(target: &Target, token: &str, to: &str) -> Outcome {
    let eicar: String = EICAR_REVERSED.chars().rev().collect();
    let message = format!("{}{eicar}\r\n", heading(&format!("postkiln test {token} virus"), STRANGER, to, token));
    let mut client = smtp::outside(target).await?;
    match smtp::send(&mut client, STRANGER, to, &message).await? {
        (code @ 500..=599, text) => Ok(((), format!("{code} {text}"))),
        (code @ 400..=499, text) => Err(format!("answered {code} {text}: the scanner does not work")),
        (code, text) => Err(format!("answered {code} {text}: the virus was let in")),
    }
}

async fn remove(target: &Target, login: &Login, token: &str) -> Outcome {
    let mut session = imap::Session::open(target, login).await?;
    let uids = session.search(token).await?;
    session.remove(&uids).await?;
    let left = session.search(token).await?;
    session.close().await?;
    let ending = if uids.len() == 1 { "" } else { "s" };
    let said = format!("{} message{ending}", uids.len());
    if left.is_empty() { Ok(((), said)) } else { Err(format!("still there: {left:?}")) }
}

/// A message that the test looks for later.
struct Probe {
    word: &'static str,
    to: String,
    subject: String,
    text: String,
    message: String,
}

impl Probe {
    fn new(token: &str, word: &'static str, from: &str, to: &str) -> Self {
        let subject = format!("postkiln test {token} {word}");
        let text = format!("This is the {word} message of run {token}.");
        let message = format!("{}{text}\r\n.A line that begins with a dot.\r\n", heading(&subject, from, to, token));
        Self { word, to: to.to_owned(), subject, text, message }
    }
}

fn heading(subject: &str, from: &str, to: &str, token: &str) -> String {
    let word = subject.rsplit(' ').next().unwrap_or_default();
    let date = jiff::Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S %z").to_string();
    format!(
        "From: <{from}>\r\nTo: <{to}>\r\nSubject: {subject}\r\nDate: {date}\r\nMessage-ID: <{word}.{token}@postkiln.invalid>\r\n\r\n"
    )
}

/// A random word that no other mail holds.
fn token() -> String {
    // If the system refuses randomness, the clock is random enough for a probe.
    let bytes = random::<8>().unwrap_or_else(|_| jiff::Timestamp::now().as_microsecond().to_le_bytes());
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Why steps that play a stranger are left out.
const STRANGERS_WAIT: &str = "strangers have to come again after a while (smtp.greylisting)";
/// A sender nobody can be (RFC 2606 §2).
const STRANGER: &str = "stranger@elsewhere.invalid";
/// The EICAR test file backwards: this program must not look like one to a scanner.
const EICAR_REVERSED: &str = "*H+H$!ELIF-TSET-SURIVITNA-DRADNATS-RACIE$}7)CC7)^P(45XZP\\4[PA@%P!O5X";
