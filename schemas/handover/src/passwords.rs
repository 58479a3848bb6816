//! `users/secrets` of a bundle: which secret is whose password. One line for each person: address, secret, version.

use postkiln_address::Address;

/// Everybody whose password is a secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PasswordSecrets(pub Vec<PasswordSecret>);

/// A person whose password is a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordSecret {
    /// The account, in lower case.
    pub address: Address,
    /// The secret's name.
    pub secret: String,
    /// The version that is the password: an earlier one lets nobody in.
    pub version: String,
}

impl PasswordSecrets {
    /// Reads the file.
    ///
    /// # Errors
    /// The number of the first line that is malformed.
    pub fn parse(text: &str) -> Result<Self, usize> {
        let lines = (1..).zip(text.lines());
        let secrets = lines.map(|(number, line)| {
            // A local part may hold spaces; nothing after it does.
            let mut words = line.rsplitn(3, ' ');
            let (Some(version), Some(secret), Some(address)) = (words.next(), words.next(), words.next()) else {
                return Err(number);
            };
            let address = address.parse().map_err(|_| number)?;
            Ok(PasswordSecret { address, secret: secret.to_owned(), version: version.to_owned() })
        });
        secrets.collect::<Result<_, _>>().map(Self)
    }

    /// Writes the file.
    #[must_use]
    pub fn print(&self) -> String {
        self.0.iter().map(|one| format!("{} {} {}\n", one.address, one.secret, one.version)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_parsed_again() {
        let text = "ada@example.org ada 27a9d7b2cad8ed51\n\"a b\"@example.org shared.1 0000000000000001\n";
        let parsed = PasswordSecrets::parse(text).unwrap();
        assert_eq!((parsed.0.len(), parsed.print().as_str()), (2, text));
        assert_eq!(PasswordSecrets::parse(""), Ok(PasswordSecrets::default()));
        let blank = format!("{text}\n");
        for (line, text) in [(1, "ada@example.org ada\n"), (3, &blank), (1, "ada ada 1")] {
            assert_eq!(PasswordSecrets::parse(text), Err(line), "{text:?}");
        }
    }
}
