//! Databases that are nobody else's business.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Makes a SQLite database readable by its owner alone, whatever the umask is, before it is opened; makes the file if
/// there is none. SQLite gives the files that it makes beside the database the mode of the database.
///
/// # Errors
/// When the file cannot be made, or its mode cannot be changed.
pub fn keep_private(database: &Path) -> io::Result<()> {
    File::options().create(true).append(true).mode(PRIVATE).open(database)?;
    for ending in ["", "-wal", "-shm"] {
        let mut file = database.as_os_str().to_owned();
        file.push(ending);
        match fs::set_permissions(&file, Permissions::from_mode(PRIVATE)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

const PRIVATE: u32 = 0o600;
