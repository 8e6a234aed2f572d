//! Long steps: a spinner on a terminal, plain lines elsewhere, always on stderr.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// One thing after another that takes a while. What is under way when it is
/// dropped is wiped from the terminal.
#[derive(Debug)]
pub(crate) struct Progress {
    /// None where there is no terminal.
    bar: Option<ProgressBar>,
    /// Whether steps are told where there is no terminal.
    told: bool,
}

impl Progress {
    /// Begins with nothing under way.
    pub(crate) fn start() -> Self {
        Self::new(true)
    }

    /// For steps of a second or so: nothing is said where there is no terminal.
    pub(crate) fn start_quiet() -> Self {
        Self::new(false)
    }

    fn new(told: bool) -> Self {
        if !io::stderr().is_terminal() {
            return Self { bar: None, told };
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        Self { bar: Some(bar), told }
    }

    /// The next step is under way.
    pub(crate) fn step(&self, what: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(what.to_owned()),
            None if self.told => line(what),
            None => {}
        }
    }

    /// A section of a case is being asked.
    pub(crate) fn section(&self, event: &rescue::Event) {
        if event.state == rescue::EventState::Asked {
            self.step(event.section);
        }
    }

    /// Prints something beside the spinner.
    pub(crate) fn hidden(&self, print: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn line(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
