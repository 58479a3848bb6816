//! `badhelo`: names that clients may not give themselves.

use crate::HostPattern;
use crate::lines::list_file;

list_file!(
    /// Names in HELO and EHLO whose clients' recipients are all refused.
    Badhelo(HostPattern), "badhelo", "none", &[],
    "Names in HELO and EHLO that are refused: `host`, or `.example.com` for the names below; relay clients may use them."
);

impl Badhelo {
    /// Whether a client of this name is refused. A name that is no host name matches no line.
    #[must_use]
    pub fn refuses(&self, name: &str) -> bool {
        name.parse().is_ok_and(|name| self.0.iter().any(|bad| bad.covers(&name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ControlFile;

    #[test]
    fn names_and_names_below() {
        let bad = Badhelo::parse(b"localhost\n.dynamic.example\n").unwrap();
        assert_eq!(bad.print(), "localhost\n.dynamic.example\n");
        for (name, expected) in
            [("LocalHost", true), ("a.dynamic.example", true), ("dynamic.example", false), ("[192.0.2.1]", false)]
        {
            assert_eq!(bad.refuses(name), expected, "{name}");
        }
    }
}
