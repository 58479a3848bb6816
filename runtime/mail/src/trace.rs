//! The lines that a mail system puts before a message (RFC 5321 §4.4): `Received` as qmail-smtpd writes it, and
//! `Return-Path` and `Delivered-To` as qmail-local does. Knows nothing about where they go.

use std::net::IpAddr;

use jiff::Timestamp;
use postkiln_address::{Address, ReversePath};

use crate::date::date;

/// The facts in a `Received` line.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// The client's name from the DNS (`TCPREMOTEHOST`).
    pub host: Option<&'a str>,
    /// The name that the client gave in HELO or EHLO.
    pub helo: Option<&'a str>,
    /// The logged-in account, or the user as a daemon on the client names it (`TCPREMOTEINFO`).
    pub info: Option<&'a str>,
    /// The client's IP address.
    pub ip: IpAddr,
    /// Our host name.
    pub by: &'a str,
    /// The protocol: `SMTP`, `ESMTP`, `ESMTPS`, `ESMTPSA` (RFC 3848).
    pub with: &'a str,
    /// The name of the message in our queue, when it has one by now.
    pub id: Option<&'a str>,
    /// The time when the message came.
    pub at: Timestamp,
}

/// The `Received` field, two lines with LF at their ends:
/// `Received: from HOST (HELO name) (INFO@IP)` and `  by LOCAL with SMTP; date`.
#[must_use]
pub fn received_line(received: &Received<'_>) -> String {
    let host = received.host.unwrap_or("unknown");
    let mut line = format!("Received: from {}", safe(host));
    if let Some(helo) = received.helo.filter(|helo| !helo.eq_ignore_ascii_case(host)) {
        line.push_str(&format!(" (HELO {})", safe(helo)));
    }
    line.push_str(" (");
    if let Some(info) = received.info {
        line.push_str(&format!("{}@", safe(info)));
    }
    line.push_str(&format!("{})\n  by {} with {}", received.ip, safe(received.by), safe(received.with)));
    if let Some(id) = received.id {
        line.push_str(&format!(" id {}", safe(id)));
    }
    line.push_str(&format!("; {}\n", date(received.at)));
    line
}

/// Replaces qmail's unsafe characters, and all others that could end a comment or a line, by `?`.
fn safe(text: &str) -> String {
    let is_safe = |c: char| c.is_ascii_alphanumeric() || ".@%+/=:-_[]".contains(c);
    text.chars().take(255).map(|c| if is_safe(c) { c } else { '?' }).collect()
}

/// `Return-Path: <sender>` with LF, put before a message at its final delivery (RFC 5321 §4.4).
#[must_use]
pub fn return_path(sender: &ReversePath) -> String {
    format!("Return-Path: <{sender}>\n")
}

/// `Delivered-To: address` with LF, by which a loop is recognised. The text is exact, case included.
#[must_use]
pub fn delivered_to(address: &Address) -> String {
    format!("Delivered-To: {address}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(received: Received<'_>, expected: &str) {
        assert_eq!(received_line(&received), expected);
    }

    #[test]
    fn received_lines_are_qmails() {
        let plain = Received {
            host: None,
            helo: Some("client.example"),
            info: None,
            ip: "192.0.2.1".parse().unwrap(),
            by: "mail.example.org",
            with: "ESMTP",
            id: None,
            at: Timestamp::from_second(1_795_358_170).unwrap(),
        };
        check(
            plain,
            "Received: from unknown (HELO client.example) (192.0.2.1)\n  by mail.example.org with ESMTP; 22 Nov 2026 14:36:10 -0000\n",
        );
        let full = Received { host: Some("client.example"), info: Some("ada@example.org"), id: Some("1f"), ..plain };
        check(
            full,
            "Received: from client.example (ada@example.org@192.0.2.1)\n  by mail.example.org with ESMTP id 1f; 22 Nov 2026 14:36:10 -0000\n",
        );
        let hostile = Received { helo: Some("a)\r\nX: b(\u{e9}"), ..plain };
        check(
            hostile,
            "Received: from unknown (HELO a???X:?b??) (192.0.2.1)\n  by mail.example.org with ESMTP; 22 Nov 2026 14:36:10 -0000\n",
        );
        let v6 = Received { helo: None, ip: "2001:db8::1".parse().unwrap(), ..plain };
        check(
            v6,
            "Received: from unknown (2001:db8::1)\n  by mail.example.org with ESMTP; 22 Nov 2026 14:36:10 -0000\n",
        );
    }

    #[test]
    fn delivery_lines() {
        assert_eq!(return_path(&ReversePath::Null), "Return-Path: <>\n");
        assert_eq!(delivered_to(&"Ada@example.org".parse().unwrap()), "Delivered-To: Ada@example.org\n");
    }
}
