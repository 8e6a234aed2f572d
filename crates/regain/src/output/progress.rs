//! Long steps: a spinner on a terminal, plain lines elsewhere, always on stderr.

use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rescue::{Event, EventState};

/// How long nothing is said where there is no terminal.
const SILENCE: Duration = Duration::from_secs(8);

/// One thing after another that takes a while. What is under way when it is
/// dropped is wiped from the terminal.
#[derive(Debug)]
pub(crate) struct Progress {
    /// None where there is no terminal.
    bar: Option<ProgressBar>,
    /// Whether steps are told where there is no terminal.
    told: bool,
    /// What is waited for, the oldest first.
    waiting: Arc<Mutex<Vec<String>>>,
    /// Ends what speaks up where there is no terminal and it takes long.
    _silence: Option<mpsc::Sender<()>>,
}

impl Progress {
    /// Begins with nothing under way.
    pub(crate) fn start() -> Self {
        Self::new(true)
    }

    /// For steps of a second or so: where there is no terminal only what takes much
    /// longer is told.
    pub(crate) fn start_quiet() -> Self {
        Self::new(false)
    }

    fn new(told: bool) -> Self {
        let waiting = Arc::default();
        if !io::stderr().is_terminal() {
            let silence = (!told).then(|| speak_up(Arc::clone(&waiting)));
            return Self { bar: None, told, waiting, _silence: silence };
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        Self { bar: Some(bar), told, waiting, _silence: None }
    }

    /// The next step is under way.
    pub(crate) fn step(&self, what: &str) {
        *lock(&self.waiting) = vec![what.to_owned()];
        match &self.bar {
            Some(bar) => bar.set_message(what.to_owned()),
            None if self.told => line(what),
            None => {}
        }
    }

    /// A section of a case is being asked, or has answered: what is named is what is
    /// waited for.
    pub(crate) fn section(&self, event: &Event) {
        let mut waiting = lock(&self.waiting);
        match event.state {
            EventState::Asked => waiting.push(event.section.to_owned()),
            _ => waiting.retain(|section| section != event.section),
        }
        if !waiting.is_empty() {
            let all = waiting.join(", ");
            drop(waiting);
            match &self.bar {
                Some(bar) => bar.set_message(all),
                None if self.told => line(&all),
                None => {}
            }
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

/// Says every few seconds what is waited for, until the sender is dropped.
fn speak_up(waiting: Arc<Mutex<Vec<String>>>) -> mpsc::Sender<()> {
    let (silence, ended) = mpsc::channel();
    let since = Instant::now();
    thread::spawn(move || {
        while ended.recv_timeout(SILENCE) == Err(RecvTimeoutError::Timeout) {
            let what = lock(&waiting).join(", ");
            if !what.is_empty() {
                line(&format!("{what} ({} s)", since.elapsed().as_secs()));
            }
        }
    });
    silence
}

fn lock(waiting: &Mutex<Vec<String>>) -> std::sync::MutexGuard<'_, Vec<String>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}
