//! The frame around a script: how it is sent, and how its answer is put together.

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::channel::{ChannelError, Ran};

const FRAME: &str = include_str!("../guest/frame.sh");
const PIECE: &str = include_str!("../guest/piece.sh");

/// What the frame prints around a piece, and what Run Command prints around that,
/// bytes. The rest of the channel's limit is for the piece.
const OVERHEAD: u64 = 512;

/// The largest answer that is fetched, bytes of base64.
const ANSWER_LIMIT: usize = 8 * 1024 * 1024;

/// Bytes of answer that fit into one call.
pub(crate) fn piece_size(output_limit: u64) -> u64 {
    output_limit.saturating_sub(OVERHEAD).max(256)
}

/// The text to send for `script`. `job` names its files in the guest; it is random,
/// so that no line of the script can be taken for its end.
pub(crate) fn wrap(script: &str, job: &str, seconds: u64, piece: u64) -> String {
    FRAME
        .replace("@JOB@", job)
        .replace("@SECONDS@", &seconds.to_string())
        .replace("@PIECE@", &piece.to_string())
        .replace("@END@", &format!("REGAIN_{job}"))
        .replace("@SCRIPT@", script)
}

/// The text to send for the piece that begins at byte `from`.
pub(crate) fn next(answer: &Answer, piece: u64) -> String {
    let from = answer.have.len() as u64;
    let last = from + piece >= answer.size as u64;
    PIECE
        .replace("@DIR@", &answer.dir)
        .replace("@FROM@", &(from + 1).to_string())
        .replace("@PIECE@", &piece.to_string())
        .replace("@LAST@", if last { "1" } else { "0" })
}

/// An answer that is being put together.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    packed: bool,
    size: usize,
    dir: String,
    have: String,
}

impl Answer {
    /// From the output of the first call.
    pub(crate) fn begin(output: &str) -> Result<Self, ChannelError> {
        let (header, piece) = piece(output)?;
        let garbled = || ChannelError::Garbled(format!("its head is `{header}`"));
        // `gzip -c 123 /run/regain/x` or `cat 123 /run/regain/x`
        let (packed, rest) = match header.strip_prefix("gzip -c ") {
            Some(rest) => (true, rest),
            None => (false, header.strip_prefix("cat ").ok_or_else(garbled)?),
        };
        let (size, dir) = rest.split_once(' ').ok_or_else(garbled)?;
        let size =
            size.parse().ok().filter(|&size| size <= ANSWER_LIMIT).ok_or_else(garbled)?;
        // It is put into the next script: only what the frame can have printed.
        let plain = |char: char| char.is_ascii_alphanumeric() || "/._-".contains(char);
        if !dir.chars().all(plain) {
            return Err(garbled());
        }
        let answer = Self { packed, size, dir: dir.to_owned(), have: String::new() };
        answer.with(piece)
    }

    /// With the output of one more call.
    pub(crate) fn extended(&self, output: &str) -> Result<Self, ChannelError> {
        let (_, piece) = piece(output)?;
        if piece.is_empty() {
            let had = format!("it ends at {} of {} bytes", self.have.len(), self.size);
            return Err(ChannelError::Garbled(had));
        }
        self.with(piece)
    }

    fn with(&self, piece: &str) -> Result<Self, ChannelError> {
        let have = format!("{}{piece}", self.have);
        if have.len() > self.size {
            return Err(ChannelError::Garbled("it is longer than it says".to_owned()));
        }
        Ok(Self { have, dir: self.dir.clone(), ..*self })
    }

    /// Whether all of it is here.
    pub(crate) fn is_whole(&self) -> bool {
        self.have.len() == self.size
    }

    /// What the script did.
    pub(crate) fn unpack(&self) -> Result<Ran, ChannelError> {
        let garbled = |why: String| ChannelError::Garbled(why);
        let bytes =
            STANDARD.decode(&self.have).map_err(|error| garbled(error.to_string()))?;
        let (plain, error) = self.inflated(&bytes);
        match error {
            Some(error) => Err(garbled(error.to_string())),
            None => Ran::read(&plain)
                .ok_or_else(|| garbled("its first line is not a status".to_owned())),
        }
    }

    /// What can be had of an answer whose end never came; its exit status is there
    /// from the first piece on.
    pub(crate) fn unpack_what_came(&self) -> Option<Ran> {
        let whole = self.have.len() / 4 * 4;
        let bytes = STANDARD.decode(&self.have[..whole]).ok()?;
        Ran::read(&self.inflated(&bytes).0)
    }

    fn inflated(&self, bytes: &[u8]) -> (Vec<u8>, Option<std::io::Error>) {
        if !self.packed {
            return (bytes.to_vec(), None);
        }
        let mut plain = Vec::new();
        let limit = 8 * ANSWER_LIMIT as u64;
        let mut reader = flate2::read::GzDecoder::new(bytes).take(limit);
        let error = reader.read_to_end(&mut plain).err();
        (plain, error)
    }
}

impl Ran {
    /// `STATUS LENGTH\n`, standard output of that length or as much as there is of
    /// it, standard error.
    fn read(plain: &[u8]) -> Option<Self> {
        let end = plain.iter().position(|&byte| byte == b'\n')?;
        let (exit, length) = std::str::from_utf8(&plain[..end]).ok()?.split_once(' ')?;
        let length: usize = length.parse().ok()?;
        let said = &plain[end + 1..];
        let (stdout, stderr) = said.split_at(length.min(said.len()));
        Some(Self {
            exit: exit.parse().ok()?,
            stdout: String::from_utf8_lossy(stdout).into_owned(),
            stderr: String::from_utf8_lossy(stderr).into_owned(),
        })
    }
}

/// The head and the piece of one call's output.
fn piece(output: &str) -> Result<(&str, &str), ChannelError> {
    output
        .split_once("regain-frame ")
        .and_then(|(_, rest)| rest.split_once('\n'))
        .and_then(|(header, rest)| {
            let (piece, _) = rest.split_once("\nregain-end")?;
            Some((header.trim_end(), piece))
        })
        .ok_or_else(|| {
            let said = output.trim();
            let said = if said.is_empty() { "it is empty" } else { said };
            ChannelError::Garbled(said.chars().take(400).collect())
        })
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// What a channel does: runs a text with sh and hands back standard output.
    fn run(root: &tempfile::TempDir, text: &str) -> String {
        let mut command = Command::new("sh");
        command.arg("-c").arg(text).env("REGAIN_ROOT", root.path());
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    }

    fn ask(script: &str, piece: u64) -> (Ran, usize) {
        let root = tempfile::tempdir().unwrap();
        let output = run(&root, &wrap(script, "job", 10, piece));
        let mut answer = Answer::begin(&output).unwrap();
        let mut calls = 1;
        while !answer.is_whole() {
            let output = run(&root, &next(&answer, piece));
            answer = answer.extended(&output).unwrap();
            calls += 1;
        }
        assert!(!std::path::Path::new(&answer.dir).exists(), "files are left behind");
        (answer.unpack().unwrap(), calls)
    }

    #[test]
    fn both_outputs_and_the_status_come_back() {
        let (ran, calls) = ask("echo out; echo err >&2; exit 7", 4000);
        let expected =
            Ran { exit: 7, stdout: "out\n".to_owned(), stderr: "err\n".to_owned() };
        assert_eq!((ran, calls), (expected, 1));
    }

    #[test]
    fn an_answer_larger_than_the_channel_comes_in_pieces() {
        // Digits of a counter pack badly enough to need several calls.
        let (ran, calls) =
            ask("i=0; while [ $i -lt 2000 ]; do echo $i; i=$((i+1)); done", 600);
        let expected: String = (0..2000).map(|n| format!("{n}\n")).collect();
        assert_eq!(ran.stdout, expected);
        assert!(calls > 2, "{calls} calls");
    }

    #[test]
    fn of_an_answer_whose_end_never_comes_the_beginning_is_used() {
        let root = tempfile::tempdir().unwrap();
        let script = "i=0; while [ $i -lt 9000 ]; do echo $i; i=$((i+1)); done; exit 3";
        let output = run(&root, &wrap(script, "job", 10, 3000));
        let answer = Answer::begin(&output).unwrap();
        assert!(!answer.is_whole() && answer.unpack().is_err());
        let came = answer.unpack_what_came().unwrap();
        assert_eq!(came.exit, 3);
        assert!(came.stdout.starts_with("0\n1\n2\n") && came.stdout.len() > 1000);
    }

    #[test]
    fn a_script_that_cannot_be_parsed_is_a_status_and_not_a_riddle() {
        let (ran, _) = ask("if true; then", 4000);
        assert_ne!(ran.exit, 0);
        assert!(!ran.stderr.is_empty());
    }

    #[test]
    fn quotes_and_dollars_arrive_as_they_are() {
        let (ran, _) = ask("printf '%s\\n' 'it'\\''s $HOME `id` \\\\'", 4000);
        assert_eq!(ran.stdout, "it's $HOME `id` \\\\\n");
    }

    #[test]
    fn a_script_that_hangs_is_stopped_in_the_guest() {
        let root = tempfile::tempdir().unwrap();
        let output = run(&root, &wrap("echo begun; sleep 60", "job", 1, 4000));
        let ran = Answer::begin(&output).unwrap().unpack().unwrap();
        assert_eq!((ran.exit, ran.stdout.as_str()), (124, "begun\n"));
    }

    #[test]
    fn what_is_not_a_frame_is_shown() {
        let error = Answer::begin("sh: not found\n").unwrap_err();
        assert_eq!(error.to_string(), "the guest's answer cannot be read: sh: not found");
        for header in ["cat x /d", "cat 1 /d;rm", "cat 99999999999 /d", "tar 1 /d"] {
            let text = format!("regain-frame {header}\na\nregain-end\n");
            assert!(Answer::begin(&text).is_err(), "{header}");
        }
    }
}
