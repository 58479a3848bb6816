//! The results of a test run: printed line by line as they come, or as one document at the end.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::output;

/// The steps so far.
#[derive(Debug)]
pub(super) struct Report {
    is_silent: bool,
    steps: Vec<Step>,
}

/// One step and its result.
#[derive(Debug, Serialize)]
struct Step {
    name: String,
    ok: bool,
    /// Whether the step could be tried; a step that could not is no failure.
    tried: bool,
    /// The observation; for a failure, the fault.
    text: String,
    milliseconds: u64,
}

/// The whole report as JSON.
#[derive(Debug, Serialize)]
pub(super) struct Document<'a> {
    ok: bool,
    steps: &'a [Step],
}

impl Report {
    pub(super) const fn new(is_silent: bool) -> Self {
        Self { is_silent, steps: Vec::new() }
    }

    /// Runs one step and records how it ended; gives the step's product.
    pub(super) async fn step<T>(
        &mut self,
        name: &str,
        attempt: impl Future<Output = Result<(T, String), String>>,
    ) -> Option<T> {
        let began = Instant::now();
        let limited = tokio::time::timeout(STEP, attempt).await;
        let (made, ok, text) = match limited.unwrap_or_else(|_| Err(format!("no answer within {} s", STEP.as_secs()))) {
            Ok((made, text)) => (Some(made), true, text),
            Err(text) => (None, false, text),
        };
        let milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        if !self.is_silent {
            let verdict = if ok { "ok    " } else { "FAILED" };
            output::result(&format!("{verdict} {milliseconds:>6} ms  {name}: {text}"));
        }
        self.steps.push(Step { name: name.to_owned(), ok, tried: true, text, milliseconds });
        made
    }

    /// Records a step that cannot be tried, and why.
    pub(super) fn skip(&mut self, name: &str, why: &str) {
        if !self.is_silent {
            output::result(&format!("{:<6} {:>6}     {name}: not proved here: {why}", "-", ""));
        }
        self.steps.push(Step { name: name.to_owned(), ok: true, tried: false, text: why.to_owned(), milliseconds: 0 });
    }

    pub(super) fn has_failed(&self) -> bool {
        self.steps.iter().any(|step| !step.ok)
    }

    pub(super) fn document(&self) -> Document<'_> {
        Document { ok: !self.has_failed(), steps: &self.steps }
    }

    pub(super) fn summary(&self) -> String {
        let failed = self.steps.iter().filter(|step| !step.ok).count();
        let tried = self.steps.iter().filter(|step| step.tried).count();
        let skipped = match self.steps.len() - tried {
            0 => String::new(),
            skipped => format!("; {skipped} not proved here"),
        };
        match failed {
            0 => format!("all {tried} steps passed{skipped}"),
            _ => format!("{failed} of {tried} steps failed{skipped}"),
        }
    }
}

/// The longest time for a step, so that none hangs: longer than any wait within one.
const STEP: Duration = Duration::from_secs(180);
