//! Progress of long work: a moving line on a terminal, plain lines elsewhere. Start at [`Progress::begin`].

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::output;

/// One piece of long work that is being shown.
pub(crate) struct Progress {
    what: String,
    since: Instant,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Begins to show `what` ("fetching packages").
    pub(crate) fn begin(what: &str) -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            let template = if output::colour() { SPINNER } else { PLAIN_SPINNER };
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.set_prefix(what.to_owned());
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        if bar.is_none() {
            output::note(&format!("{what} …"));
        }
        Self { what: what.to_owned(), since: Instant::now(), bar }
    }

    /// Prints a line that stays, above the bar.
    pub(crate) fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| output::note(text)),
            None => output::note(text),
        }
    }

    /// Ends the work; leaves one line with the time it took.
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

const SPINNER: &str = "{spinner:.cyan} {prefix} {elapsed}";
const PLAIN_SPINNER: &str = "{spinner} {prefix} {elapsed}";
