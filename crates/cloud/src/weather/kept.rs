//! The weather of a state directory: its file `weather`, one line of words.
//!
//! Whoever may write into the directory, the lab's owner alone, makes the weather. The
//! server has no route for it: nothing that a client can ask tells that there is one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::Weather;

const NAME: &str = "weather";

impl Weather {
    /// The weather of a state directory; clear if nobody has made any.
    ///
    /// # Errors
    /// The file cannot be read, or is damaged.
    pub fn read(state: &Path) -> io::Result<Self> {
        match fs::read_to_string(state.join(NAME)) {
            Ok(text) => parse(&text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::CLEAR),
            Err(error) => Err(error),
        }
    }

    /// Makes the weather of a state directory. A server that works on it goes by this
    /// one as soon as this returns.
    ///
    /// # Errors
    /// The file cannot be written; then the weather stays as it was.
    pub fn write(&self, state: &Path) -> io::Result<()> {
        let fresh = state.join(format!(".{NAME}.new"));
        // A file of its own, so that a change is known by its number, however soon it
        // follows the last one.
        match fs::remove_file(&fresh) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut options = OpenOptions::new();
        let mut file = options.create_new(true).write(true).mode(0o600).open(&fresh)?;
        writeln!(file, "{self}")?;
        fs::rename(&fresh, state.join(NAME))
    }
}

fn parse(text: &str) -> io::Result<Weather> {
    text.trim().parse().map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// The weather of a state directory, read again only when its file has changed.
#[derive(Debug)]
pub(crate) struct Kept {
    path: PathBuf,
    last: Mutex<(Option<Mark>, Weather)>,
}

/// By which one version of the file is known. While the last one read is held open
/// its number is not given to another.
#[derive(Debug)]
struct Mark {
    _open: File,
    number: u64,
    changed: (i64, i64),
}

impl Kept {
    /// The weather of this directory.
    ///
    /// # Errors
    /// See [`Weather::read`].
    pub(crate) fn of(state: &Path) -> io::Result<Self> {
        let weather = Weather::read(state)?;
        let kept = Self { path: state.join(NAME), last: Mutex::new((None, weather)) };
        Ok(kept)
    }

    /// What holds now. It is one look at a directory entry, which is not worth a
    /// thread of its own.
    pub(crate) fn now(&self) -> Weather {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let there = fs::metadata(&self.path);
        match (&last.0, &there) {
            (Some(mark), Ok(there)) if mark.is(there) => {}
            (None, Err(error)) if error.kind() == io::ErrorKind::NotFound => {
                last.1 = Weather::CLEAR;
            }
            _ => match self.look() {
                Ok(seen) => *last = seen,
                Err(error) => {
                    tracing::warn!(%error, "the weather cannot be read; it stays as it was");
                }
            },
        }
        last.1
    }

    fn look(&self) -> io::Result<(Option<Mark>, Weather)> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok((None, Weather::CLEAR));
            }
            Err(error) => return Err(error),
        };
        let there = file.metadata()?;
        let weather = parse(&io::read_to_string(&file)?)?;
        tracing::info!(%weather, "the weather");
        let changed = (there.mtime(), there.mtime_nsec());
        Ok((Some(Mark { _open: file, number: there.ino(), changed }), weather))
    }
}

impl Mark {
    fn is(&self, there: &fs::Metadata) -> bool {
        self.number == there.ino() && self.changed == (there.mtime(), there.mtime_nsec())
    }
}
