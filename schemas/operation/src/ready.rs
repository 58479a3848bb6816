//! How a node says that everything answers: [`Ready`] on the standard output of `postkiln-node supervise`, [`CONSOLE`]
//! on the console of a machine.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The line of a machine's console.
pub const CONSOLE: &str = "Postkiln: ready";

/// The one line that `supervise` writes to standard output: `{"ready":true,"ports":{"smtp":10025}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ready {
    /// Always `true`: the line is not written before.
    pub ready: bool,
    /// The port of each listener on this machine, by the listener's name.
    pub ports: BTreeMap<String, u16>,
}

impl Ready {
    /// The line for these listeners.
    #[must_use]
    pub const fn new(ports: BTreeMap<String, u16>) -> Self {
        Self { ready: true, ports }
    }

    /// Reads a line; nothing when it says something else.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        serde_json::from_str(line).ok().filter(|said: &Self| said.ready)
    }
}

impl fmt::Display for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_comes_back() {
        let ready = Ready::new(BTreeMap::from([("smtp".to_owned(), 10_025)]));
        assert_eq!(ready.to_string(), r#"{"ready":true,"ports":{"smtp":10025}}"#);
        assert_eq!(Ready::parse(&ready.to_string()), Some(ready));
        assert_eq!(Ready::parse(r#"{"ready":false,"ports":{}}"#), None);
        assert_eq!(Ready::parse("role=init"), None);
    }
}
