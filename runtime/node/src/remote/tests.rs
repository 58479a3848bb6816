//! Whole attempts against a name server and mail hosts on loopback addresses, with ports the kernel chose.

use std::collections::HashMap;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, AAAA, MX, NS};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use postkiln_address::ReversePath;
use postkiln_control::ControlFile as _;
use postkiln_mail::QueueId;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, UdpSocket};

use super::*;

/// The answers of a mail host; the first matching command's line wins, else `250 ok`.
type Script = &'static [(&'static str, &'static str)];

const KIND: Script = &[("EHLO", "250-there\r\n250-SIZE 1000000\r\n250 8BITMIME"), ("QUIT", "221 bye")];

/// A mail host; gives its port and, when the session is over, what it heard.
async fn host(ip: &str, greeting: &'static str, script: Script) -> (u16, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind((ip, 0)).await.unwrap();
    serve_host(listener, greeting, script)
}

fn serve_host(
    listener: TcpListener,
    greeting: &'static str,
    script: Script,
) -> (u16, tokio::task::JoinHandle<Vec<String>>) {
    let port = listener.local_addr().unwrap().port();
    let session = async move {
        let (stream, _) = listener.accept().await.unwrap();
        let (reader, mut writer) = stream.into_split();
        let mut lines = BufReader::new(reader).lines();
        writer.write_all(format!("{greeting}\r\n").as_bytes()).await.unwrap();
        let (mut heard, mut in_data) = (Vec::new(), false);
        while let Ok(Some(line)) = lines.next_line().await {
            heard.push(line.clone());
            if in_data && line != "." {
                continue;
            }
            let usual = if line == "DATA" { "354 go ahead" } else { "250 ok" };
            let answer = script.iter().find(|(command, _)| line.starts_with(command)).map_or(usual, |found| found.1);
            in_data = line == "DATA" && answer.starts_with("354");
            writer.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
            if line == "QUIT" {
                break;
            }
        }
        heard
    };
    (port, tokio::task::spawn_local(session))
}

/// A name server for a table of `TYPE name` to values; `NXDOMAIN` for everything else, `SERVFAIL` for the value `?`, a
/// referral to somebody else for `>`.
async fn name_server(table: &[(&'static str, &'static str)]) -> SocketAddr {
    let socket = UdpSocket::bind(("127.0.0.1", 0)).await.unwrap();
    let address = socket.local_addr().unwrap();
    let mut records: HashMap<&str, Vec<&str>> = HashMap::new();
    for (key, value) in table {
        records.entry(key).or_default().push(value);
    }
    tokio::task::spawn_local(async move {
        let mut buffer = [0; 2000];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            let answer = answer_query(&records, &buffer[..length]);
            socket.send_to(&answer, from).await.unwrap();
        }
    });
    address
}

fn answer_query(records: &HashMap<&str, Vec<&str>>, query: &[u8]) -> Vec<u8> {
    let asked = Message::from_vec(query).unwrap();
    let question = asked.queries[0].clone();
    let name = question.name().to_lowercase().to_ascii();
    let name = name.trim_end_matches('.');
    let mut answer = asked.into_response();
    answer.queries = vec![question.clone()];
    answer.answers.clear();
    let exists = records.keys().any(|key| key.ends_with(&format!(" {name}")));
    answer.metadata.response_code = if exists { ResponseCode::NoError } else { ResponseCode::NXDomain };
    for value in records.get(format!("{} {name}", question.query_type()).as_str()).into_iter().flatten() {
        let data = match question.query_type() {
            _ if *value == "?" => {
                answer.metadata.response_code = ResponseCode::ServFail;
                continue;
            }
            _ if *value == ">" => {
                let elsewhere = RData::NS(NS(Name::from_ascii("ns.elsewhere.example.").unwrap()));
                answer.add_authority(Record::from_rdata(question.name().clone(), 60, elsewhere));
                continue;
            }
            RecordType::MX => {
                let (preference, host) = value.split_once(' ').unwrap();
                RData::MX(MX::new(preference.parse().unwrap(), Name::from_ascii(host).unwrap()))
            }
            RecordType::AAAA => RData::AAAA(AAAA(value.parse().unwrap())),
            _ => RData::A(A(value.parse::<Ipv4Addr>().unwrap())),
        };
        answer.add_answer(Record::from_rdata(question.name().clone(), 60, data));
    }
    answer.to_vec().unwrap()
}

fn config(resolver: Option<SocketAddr>, port: u16, routes: &str) -> Config {
    Config {
        routes: Smtproutes::parse(routes.as_bytes()).unwrap(),
        login: None,
        resolvers: resolver.into_iter().collect(),
        helo: "mail.example.org".parse().unwrap(),
        connect: Duration::from_secs(10),
        patience: Duration::from_secs(10),
        port,
    }
}

async fn attempt(config: &Config, recipient: &str, body: &str) -> Outcome {
    let mut file = tempfile::tempfile().unwrap();
    write!(file, "header of the queue{body}").unwrap();
    let content = Content { file: Arc::new(file), offset: 19, size: body.len() as u64 };
    let request = Request {
        id: QueueId::new("1").unwrap(),
        sender: "ada@example.org".parse::<ReversePath>().unwrap(),
        recipient: postkiln_address::Address::received(recipient).unwrap(),
        offset: content.offset,
        size: content.size,
    };
    let tools = Tools::new(PathBuf::from("/nonexistent/resolv.conf")).unwrap();
    deliver(config, &tools, &request, &content).await
}

fn run<F: Future<Output = ()>>(test: F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, test);
}

fn bounced(outcome: &Outcome, status: Status, text: &str) {
    assert!(matches!(outcome, Outcome::Bounced(given, said) if *given == status && said.contains(text)), "{outcome:?}");
}

fn deferred(outcome: &Outcome, status: Status, text: &str) {
    assert!(
        matches!(outcome, Outcome::Deferred(given, said) if *given == status && said.contains(text)),
        "{outcome:?}"
    );
}

#[test]
fn a_route_is_obeyed_and_the_message_arrives_whole() {
    run(async {
        let (port, session) = host("127.0.0.1", "220 there", KIND).await;
        let config = config(None, 25, &format!(":127.0.0.1:{port}\n"));
        let outcome = attempt(&config, "bob@example.net", "Subject: x\n\n.dot\nend").await;
        let expected = "127.0.0.1 accepted message. Remote host said: 250 ok";
        assert_eq!(outcome, Outcome::Delivered(expected.to_owned()));
        let expected = [
            "EHLO mail.example.org",
            "MAIL FROM:<ada@example.org> SIZE=20 BODY=8BITMIME",
            "RCPT TO:<bob@example.net>",
            "DATA",
            "Subject: x",
            "",
            "..dot",
            "end",
            ".",
            "QUIT",
        ];
        assert_eq!(session.await.unwrap(), expected);
    });
}

/// A greeting, a script, and what must come of it.
type Case = (&'static str, Script, fn(&Outcome));

#[test]
fn answers_decide_between_deferral_and_bounce() {
    run(async {
        let cases: [Case; 5] = [
            ("220 hi", &[("RCPT", "550 5.1.1 nobody")], |outcome| {
                bounced(
                    outcome,
                    Status(5, 1, 1),
                    "127.0.0.1 does not like recipient. Remote host said: 550 5.1.1 nobody",
                );
            }),
            ("220 hi", &[("MAIL", "451 4.7.1 later")], |outcome| {
                deferred(outcome, Status(4, 7, 1), "sender was rejected");
            }),
            ("220 hi", &[(".", "554 spam")], |outcome| {
                bounced(outcome, Status(5, 0, 0), "failed after I sent the message");
            }),
            ("220 hi", &[("DATA", "250 what?")], |outcome| deferred(outcome, Status(4, 5, 0), "failed on DATA")),
            ("554 go away", &[], |outcome| deferred(outcome, Status(4, 0, 0), "greeting failed")),
        ];
        for (greeting, script, check) in cases {
            let (port, _session) = host("127.0.0.1", greeting, script).await;
            check(&attempt(&config(None, 25, &format!(":127.0.0.1:{port}\n")), "bob@example.net", "x\n").await);
        }
    });
}

#[test]
fn helo_stands_in_for_ehlo() {
    run(async {
        let (port, session) = host("127.0.0.1", "220 old", &[("EHLO", "502 what?")]).await;
        let outcome = attempt(&config(None, 25, &format!(":127.0.0.1:{port}\n")), "bob@example.net", "x\n").await;
        assert!(matches!(outcome, Outcome::Delivered(_)), "{outcome:?}");
        let heard = session.await.unwrap();
        assert_eq!(heard[1..3], ["HELO mail.example.org", "MAIL FROM:<ada@example.org>"]);
    });
}

#[test]
fn a_second_exchange_is_tried_when_the_first_does_not_greet() {
    run(async {
        let (port, first) = host("127.0.0.2", "421 busy", &[]).await;
        let listener = TcpListener::bind(("127.0.0.3", port)).await.unwrap();
        let (_, second) = serve_host(listener, "220 hi", KIND);
        let resolver = name_server(&[
            ("MX example.net", "20 b.example.net."),
            ("MX example.net", "10 a.example.net."),
            ("A a.example.net", "127.0.0.2"),
            ("A b.example.net", "127.0.0.3"),
        ])
        .await;
        let outcome = attempt(&config(Some(resolver), port, ""), "bob@example.net", "x\n").await;
        assert!(matches!(&outcome, Outcome::Delivered(text) if text.starts_with("127.0.0.3 ")), "{outcome:?}");
        first.await.unwrap();
        second.await.unwrap();
    });
}

#[test]
fn names_decide_where_mail_goes() {
    run(async {
        let (port, _session) = host("127.0.0.2", "220 hi", KIND).await;
        let resolver = name_server(&[
            ("A plain.example", "127.0.0.2"),
            ("MX null.example", "0 ."),
            ("MX own.example", "10 mail.example.org."),
            ("MX self.example", "10 loop.example."),
            ("A loop.example", "127.0.0.1"),
            ("MX backup.example", "10 gone.example."),
            ("MX backup.example", "20 mail.example.org."),
            ("MX broken.example", "?"),
        ])
        .await;
        let own = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let config = config(Some(resolver), port, "");
        let to = |domain: &str| format!("bob@{domain}");
        let plain = attempt(&config, &to("plain.example"), "x\n").await;
        assert!(matches!(plain, Outcome::Delivered(_)), "{plain:?}");
        bounced(&attempt(&config, &to("null.example"), "x\n").await, Status(5, 1, 10), "null MX");
        bounced(&attempt(&config, &to("nothing.example"), "x\n").await, Status(5, 1, 2), "nothing.example");
        bounced(&attempt(&config, &to("own.example"), "x\n").await, Status(5, 4, 6), "best-preference");
        bounced(&attempt(&config, &to("self.example"), "x\n").await, Status(5, 4, 6), "best-preference");
        bounced(&attempt(&config, &to("backup.example"), "x\n").await, Status(5, 1, 2), "gone.example");
        deferred(&attempt(&config, &to("broken.example"), "x\n").await, Status(4, 4, 3), "broken.example");
        drop(own);
    });
}

#[test]
fn whatever_was_not_answered_is_temporary() {
    run(async {
        let resolver = name_server(&[
            ("TXT sixth.example", "the name exists: A is answered, and empty"),
            ("AAAA sixth.example", "?"),
            ("A fourth.example", "?"),
            ("A lame.example", ">"),
            ("MX lame-mx.example", ">"),
            ("MX exchange.example", "10 sixth.example."),
            ("MX half.example", "10 gone.example."),
            ("MX half.example", "20 fourth.example."),
            ("TXT silent.example", "both are answered, and empty"),
        ])
        .await;
        let config = config(Some(resolver), 25, "");
        let routed = Config { routes: Smtproutes::parse(b":sixth.example:25\n").unwrap(), ..config.clone() };
        for (domain, unanswered) in [
            ("sixth.example", "sixth.example"),
            ("fourth.example", "fourth.example"),
            ("lame.example", "lame.example"),
            ("lame-mx.example", "lame-mx.example"),
            ("exchange.example", "sixth.example"),
            ("half.example", "fourth.example"),
        ] {
            let outcome = attempt(&config, &format!("bob@{domain}"), "x\n").await;
            deferred(&outcome, Status(4, 4, 3), unanswered);
        }
        deferred(&attempt(&routed, "bob@any.example", "x\n").await, Status(4, 4, 3), "sixth.example");
        bounced(&attempt(&config, "bob@silent.example", "x\n").await, Status(5, 1, 2), "silent.example");
    });
}

#[test]
fn one_family_is_enough_where_the_other_is_not_answered() {
    run(async {
        let (port, _session) = host("127.0.0.2", "220 hi", KIND).await;
        let resolver = name_server(&[("A half.example", "127.0.0.2"), ("AAAA half.example", "?")]).await;
        let outcome = attempt(&config(Some(resolver), port, ""), "bob@half.example", "x\n").await;
        assert!(matches!(outcome, Outcome::Delivered(_)), "{outcome:?}");
    });
}

#[test]
fn generously_read_addresses_are_answered_to() {
    run(async {
        let (port, session) = host("127.0.0.2", "220 hi", KIND).await;
        let resolver =
            name_server(&[("MX my_host.example", "10 mx_1.example."), ("A mx_1.example", "127.0.0.2")]).await;
        let outcome = attempt(&config(Some(resolver), port, ""), "\"a..b\"@my_host.example", "x\n").await;
        assert!(matches!(outcome, Outcome::Delivered(_)), "{outcome:?}");
        assert!(session.await.unwrap().contains(&"RCPT TO:<\"a..b\"@my_host.example>".to_owned()));
        let (port, session) = host("127.0.0.2", "220 hi", KIND).await;
        let outcome = attempt(&config(None, port, ""), "bob@[127.0.0.2]", "x\n").await;
        assert!(matches!(outcome, Outcome::Delivered(_)), "{outcome:?}");
        assert!(session.await.unwrap().contains(&"RCPT TO:<bob@[127.0.0.2]>".to_owned()));
    });
}

#[test]
fn without_resolvers_mail_waits() {
    run(async {
        let outcome = attempt(&config(None, 25, ""), "bob@example.net", "x\n").await;
        deferred(&outcome, Status(4, 4, 3), "no DNS server is known");
    });
}

#[test]
fn a_host_that_refuses_connections_is_a_deferral() {
    run(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let outcome = attempt(&config(None, 25, &format!(":{address}\n")), "bob@example.net", "x\n").await;
        deferred(&outcome, Status(4, 4, 1), "127.0.0.1");
        assert_eq!(address.ip(), IpAddr::V4(Ipv4Addr::LOCALHOST));
    });
}

/// A mail host that offers STARTTLS; with `certificate` it keeps its word, without it answers with nonsense.
async fn tls_host(certificate: bool) -> (u16, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let session = async move {
        let mut heard = Vec::new();
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"220 hi\r\n").await.unwrap();
        for answer in ["250-there\r\n250 STARTTLS\r\n", "220 go on\r\n"] {
            heard.push(read_line(&mut stream).await);
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        if !certificate {
            stream.write_all(b"500 what?\r\n").await.unwrap();
            drop(stream);
            // The second try comes without encryption.
            let (_, plain) =
                serve_host(listener, "220 hi", &[("EHLO", "250-there\r\n250 STARTTLS"), ("QUIT", "221 bye")]);
            heard.extend(plain.await.unwrap());
            return heard;
        }
        let mut stream = acceptor().accept(stream).await.unwrap();
        for answer in ["250 there", "250 ok", "250 ok", "354 go", "", "", "250 kept", "221 bye"] {
            heard.push(read_line(&mut stream).await);
            if !answer.is_empty() {
                stream.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
            }
        }
        heard
    };
    (port, tokio::task::spawn_local(session))
}

async fn read_line<T: tokio::io::AsyncRead + Unpin>(stream: &mut T) -> String {
    let mut line = Vec::new();
    while !line.ends_with(b"\n") {
        line.push(tokio::io::AsyncReadExt::read_u8(stream).await.unwrap());
    }
    String::from_utf8(line).unwrap().trim_end().to_owned()
}

fn acceptor() -> tokio_rustls::TlsAcceptor {
    let signed = rcgen::generate_simple_self_signed(vec!["other.example".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(signed.signing_key.serialize_der());
    let config =
        rustls::ServerConfig::builder_with_provider(std::sync::Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![signed.cert.der().clone()], key.into())
            .unwrap();
    tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config))
}

#[test]
fn encryption_is_used_where_it_is_offered_and_given_up_where_it_fails() {
    run(async {
        for certificate in [true, false] {
            let (port, session) = tls_host(certificate).await;
            let outcome = attempt(&config(None, 25, &format!(":127.0.0.1:{port}\n")), "bob@example.net", "x\n\n").await;
            assert!(matches!(outcome, Outcome::Delivered(_)), "{outcome:?}");
            let heard = session.await.unwrap();
            assert_eq!(heard[..3], ["EHLO mail.example.org", "STARTTLS", "EHLO mail.example.org"]);
            assert_eq!(heard[3..6], ["MAIL FROM:<ada@example.org>", "RCPT TO:<bob@example.net>", "DATA"]);
        }
    });
}

/// A FIFO stands for a file on a disk that does not answer: opening it waits for a writer.
#[test]
fn name_servers_that_cannot_be_read_hold_up_nobody() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("resolv.conf");
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        let tools = Tools::new(path.clone()).unwrap();
        let config = config(None, 25, "");
        let mut asked = std::pin::pin!(tools.names(&config));
        // On the loop itself this would never come back.
        assert!(tokio::time::timeout(Duration::from_millis(50), asked.as_mut()).await.is_err());
        let writing = tokio::task::spawn_blocking(move || std::fs::write(path, "nameserver 192.0.2.53\n"));
        assert_eq!(asked.await.unwrap().servers(), ["192.0.2.53:53".parse().unwrap()]);
        writing.await.unwrap().unwrap();
    });
}
