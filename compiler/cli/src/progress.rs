//! Progress of long work: a bar on a terminal, plain lines elsewhere. Start at [`Progress::begin`].

use std::io::{self, IsTerminal};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

use crate::output;

/// One piece of long work that is being shown.
pub(crate) struct Progress {
    what: String,
    since: Instant,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Begins to show `what` ("fetching packages"); the amount of work is not known.
    pub(crate) fn begin(what: &str) -> Self {
        Self::start(what, None)
    }

    /// Begins to show `what` of which `total` bytes are to be done.
    pub(crate) fn of_bytes(what: &str, total: u64) -> Self {
        Self::start(what, Some(total))
    }

    fn start(what: &str, total: Option<u64>) -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
            let template = if total.is_some() { BYTES } else { SPINNER };
            let style =
                if output::colour() { template.replace(".plain", ".cyan") } else { template.replace(".plain", "") };
            if let Ok(style) = ProgressStyle::with_template(&style) {
                bar.set_style(style);
            }
            bar.set_prefix(what.to_owned());
            bar.enable_steady_tick(std::time::Duration::from_millis(120));
            bar
        });
        if bar.is_none() {
            output::note(&format!("{what} …"));
        }
        Self { what: what.to_owned(), since: Instant::now(), bar }
    }

    /// `amount` more is done.
    pub(crate) fn advance(&self, amount: u64) {
        if let Some(bar) = &self.bar {
            bar.inc(amount);
        }
    }

    /// What is being done at the moment ("linux-image-6.12"); on a terminal only.
    pub(crate) fn now(&self, detail: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(detail.to_owned());
        }
    }

    /// A line that stays, above the bar.
    pub(crate) fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| output::note(text)),
            None => output::note(text),
        }
    }

    /// The work is done; leaves one line with the time it took.
    pub(crate) fn done(self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        output::note(&format!("{}: {:.1} s", self.what, self.since.elapsed().as_secs_f64()));
    }
}

impl Drop for Progress {
    /// Work that failed leaves no bar behind.
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

const SPINNER: &str = "{spinner:.plain} {prefix} {msg}";
const BYTES: &str = "{spinner:.plain} {prefix} [{bar:30.plain}] {bytes}/{total_bytes} {msg}";
