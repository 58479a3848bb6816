//! The bundle's part of the walk from address to destinations: `virtualdomains`, `users/cdb`, the `.qmail` files and
//! the tables that they ask.

use std::io;
use std::sync::Arc;

use postkiln_address::Address;
use postkiln_bundle::paths::{self, ASSIGN_CDB};
use postkiln_control::users_assign::{self, Assigned};
use postkiln_control::{ControlFile, ReadError, Subaddress, Virtualdomains};
use postkiln_routing::{LookUp, UserState};
use postkiln_sys::BundleDirectory;

use crate::{Directory, DirectoryError, alias_table};

/// One bundle's tables about addresses.
#[derive(Debug)]
pub struct Tables {
    virtualdomains: Virtualdomains,
    subaddress: Subaddress,
    users: Vec<u8>,
    bundle: Arc<BundleDirectory>,
}

impl Tables {
    /// Reads the tables. The files of domains are read later, when they are asked for, from this bundle even after
    /// another was committed.
    ///
    /// # Errors
    /// When a file cannot be read or is malformed.
    pub fn read(bundle: &BundleDirectory) -> Result<Self, DirectoryError> {
        let io = |path: &str| {
            let path = path.to_owned();
            move |source| DirectoryError::Bundle { path, source }
        };
        let malformed = |path| move |error: ReadError| DirectoryError::Malformed { path, problem: error.to_string() };
        let control = |name: &str| bundle.read(&paths::control(name));
        let virtualdomains = Virtualdomains::read(control).map_err(malformed("control/virtualdomains"))?;
        let subaddress = Subaddress::read(control).map_err(malformed("control/subaddress"))?;
        let users = bundle.read(ASSIGN_CDB).map_err(io(ASSIGN_CDB))?;
        let users = users.ok_or(DirectoryError::Malformed { path: ASSIGN_CDB, problem: "it is missing".to_owned() })?;
        let bundle = bundle.try_clone().map_err(io("."))?;
        Ok(Self { virtualdomains, subaddress, users, bundle: Arc::new(bundle) })
    }

    /// The domain, and the user in it, for a login name; an alias domain leads to the real one.
    #[must_use]
    pub fn login(&self, name: &Address) -> Option<(String, String)> {
        let assigned = self.assigned(&format!("{}-{}", self.virtualdomains.prepend(name)?, name.local().as_str()))?;
        Some((assigned.user, assigned.ext.to_ascii_lowercase()))
    }

    fn assigned(&self, local: &str) -> Option<Assigned> {
        // A damaged file does not agree with the manifest's hash, and `init` would not have handed it out.
        users_assign::lookup(&self.users, local).ok().flatten()
    }
}

/// One walk from an address, for [`postkiln_routing::route`].
#[derive(Debug)]
pub struct Walk<'a> {
    /// The tables of the bundle.
    pub tables: &'a Tables,
    /// The database of accounts.
    pub directory: &'a Directory,
}

impl LookUp for Walk<'_> {
    type Error = DirectoryError;

    async fn virtual_domain(&mut self, address: &Address) -> Result<Option<String>, DirectoryError> {
        Ok(self.tables.virtualdomains.prepend(address).map(ToOwned::to_owned))
    }

    async fn assign(&mut self, local: &str) -> Result<Option<Assigned>, DirectoryError> {
        Ok(self.tables.assigned(local))
    }

    async fn dot_qmail(&mut self, domain: &str, file: &str) -> Result<Option<Vec<u8>>, DirectoryError> {
        // A local part may be longer than a file name, or hold characters that no file name holds; then there is no
        // such file.
        if file.len() > 255 || file.contains(['/', '\0']) {
            return Ok(None);
        }
        let path = paths::instructions(domain, file);
        let (bundle, wanted) = (self.tables.bundle.clone(), path.clone());
        // The file is read on another thread, because it lies on a disk and others ask meanwhile.
        let read = tokio::task::spawn_blocking(move || bundle.read(&wanted)).await;
        read.unwrap_or_else(|error| Err(io::Error::other(error)))
            .map_err(|source| DirectoryError::Bundle { path, source })
    }

    async fn table(&mut self, domain: &str, table: &str, local: &str) -> Result<Option<Vec<u8>>, DirectoryError> {
        let path = paths::instructions(domain, table);
        let file = match self.tables.bundle.open_file(&path) {
            Ok(Some(file)) => file,
            Ok(None) => return Err(DirectoryError::Bundle { path, source: io::ErrorKind::NotFound.into() }),
            Err(source) => return Err(DirectoryError::Bundle { path, source }),
        };
        alias_table::find(&file, local).map_err(|source| DirectoryError::Bundle { path, source })
    }

    async fn user(&mut self, domain: &str, local: &str) -> Result<UserState, DirectoryError> {
        self.directory.state(domain, local).await
    }

    async fn separator(&mut self, domain: &str) -> Result<Option<char>, DirectoryError> {
        Ok(self.tables.subaddress.separator(domain))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use postkiln_control::{dot_qmail, fastforward};
    use postkiln_routing::{Destination, Route, route};
    use sqlx::Executor;
    use std::fs;

    fn bundle(folder: &std::path::Path) -> BundleDirectory {
        fs::create_dir_all(folder.join("control")).unwrap();
        fs::write(folder.join("control/subaddress"), "example.org:+\n").unwrap();
        fs::create_dir_all(folder.join("users")).unwrap();
        fs::create_dir_all(folder.join("domains/example.org")).unwrap();
        fs::write(folder.join("control/virtualdomains"), "example.org:example.org\nexample.net:example.net\n").unwrap();
        let assign = "+example.org-:example.org:207:207:/data/mail/example.org:-::\n\
                      +example.net-:example.org:207:207:/data/mail/example.org:-::\n.\n";
        fs::write(folder.join("users/cdb"), users_assign::compile(&users_assign::parse(assign).unwrap())).unwrap();
        let last = "|fastforward -dp aliases.cdb\n|vdelivermail '' bounce-no-mailbox\n";
        fs::write(folder.join("domains/example.org/.qmail-default"), last).unwrap();
        let office = dot_qmail::parse(b"&ada@example.org\n").unwrap();
        fs::write(folder.join("domains/example.org/aliases.cdb"), fastforward::compile([("office", office)])).unwrap();
        fs::write(folder.join("domains/example.org/.qmail-sales"), "&ada@example.org\n").unwrap();
        BundleDirectory::open(folder).unwrap()
    }

    #[test]
    fn addresses_lead_to_accounts_through_the_bundle_and_the_database() {
        let folder = tempfile::tempdir().unwrap();
        let tables = Tables::read(&bundle(folder.path())).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let directory = Directory::open(&folder.path().join("db.sqlite")).await.unwrap();
            let rows = "INSERT INTO accounts (id, domain, local, home, created, enabled) VALUES \
                        ('0a1b2c3d4e5f6071', 'example.org', 'ada', 'example.org', 0, 1), \
                        ('0b1b2c3d4e5f6071', 'example.org', 'left', 'example.org', 0, 0)";
            directory.connect().await.unwrap().execute(sqlx::raw_sql(rows)).await.unwrap();
            let mut walk = Walk { tables: &tables, directory: &directory };
            let ada =
                Route::Destinations(vec![Destination::Mailbox { domain: "example.org".into(), user: "ada".into() }]);
            let closed = "vdelivermail: account is locked email bounced left@example.org (#5.2.1)";
            let closed = Route::NoSuchAddress(closed.to_owned());
            for (address, expected) in [
                ("ada@example.org", Some(&ada)),
                ("ADA@example.net", Some(&ada)),
                ("sales@example.org", Some(&ada)),
                ("OFFICE@example.net", Some(&ada)),
                ("office+x@example.org", Some(&ada)),
                ("ada+x@example.net", Some(&ada)),
                ("ada@example.com", Some(&Route::NotOurs)),
                ("left@example.org", Some(&closed)),
                ("nobody@example.org", None),
                ("a/b@example.org", None),
            ] {
                let found = route(&mut walk, &address.parse().unwrap()).await.unwrap();
                match expected {
                    Some(expected) => assert_eq!(&found, expected, "{address}"),
                    None => assert!(matches!(found, Route::NoSuchAddress(_)), "{address}"),
                }
            }
        });
        let login = tables.login(&"Ada@Example.NET".parse().unwrap());
        assert_eq!(login, Some(("example.org".to_owned(), "ada".to_owned())));
        assert_eq!(tables.login(&"ada@example.com".parse().unwrap()), None);
    }
}
