//! `envnoathost`: the domain of envelope recipients that have none.

use crate::lines::host_file;

host_file!(
    /// The domain of envelope recipients without one.
    Envnoathost, "envnoathost", &[],
    "The domain put after an envelope recipient without an @."
);
