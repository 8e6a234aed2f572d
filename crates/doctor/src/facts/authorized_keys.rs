//! The lines of an authorized-keys file: which are keys, and is ours among them?

use serde::Serialize;

use super::key_options::{self, KeyOption, OptionProblem, Visitor};

/// What the authorized-keys files hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeysFacts {
    /// All files together, in one word.
    pub state: KeysState,
    /// How many lines are keys.
    pub count: i64,
    /// Whether the client's key is among them; absent if the client's public
    /// key is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_ours: Option<bool>,
    /// What the options before the client's key object to, on every line that
    /// has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub option_problem: Option<OptionProblem>,
    /// The options before the client's key, for each line that has it.
    pub our_options: Vec<String>,
    /// The lines that have it.
    pub our_lines: Vec<OurLine>,
    /// Lines that are no keys, shortened.
    pub bad_lines: Vec<String>,
}

/// A line with the client's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OurLine {
    /// The file.
    pub file: String,
    /// The line's number.
    pub line: i64,
    /// The options before the key.
    pub options: Vec<KeyOption>,
    /// Names of options that sshd does not know.
    pub unknown: Vec<String>,
}

/// What the authorized-keys files hold, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeysState {
    /// There is no file.
    Missing,
    /// There is something else where the file should be.
    NotAFile,
    /// The file has no line that says anything.
    Empty,
    /// A private key was put there.
    PrivateKey,
    /// A public key was put there over several lines.
    Wrapped,
    /// There are lines, and none is a key.
    Garbage,
    /// There are keys.
    Keys,
}

/// Key types that sshd reads (sshkey.c), without certificates.
const TYPES: &[&str] = &[
    "ssh-ed25519",
    "ssh-rsa",
    "ssh-dss",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
];

/// What the lines of all files say about a client with these public keys.
/// `not_a_file` is set if something else stands where a file should be.
pub(super) fn derive(
    files: &[(&str, &[String])],
    ours: &[&str],
    not_a_file: bool,
    visitor: Visitor,
) -> KeysFacts {
    let lines = files.iter().flat_map(|(_, lines)| *lines).map(|line| line.trim());
    let said: Vec<&str> =
        lines.filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let keys: Vec<(&str, &str)> = said.iter().filter_map(|line| key(line)).collect();
    let bad: Vec<&str> =
        said.iter().copied().filter(|line| key(line).is_none()).collect();
    let blobs: Vec<&str> = ours.iter().filter_map(|key| blob(key)).collect();
    let our_lines = || keys.iter().filter(|(_, blob)| blobs.contains(blob));
    let problems: Vec<Option<OptionProblem>> =
        our_lines().map(|(options, _)| key_options::problem(options, visitor)).collect();
    let state = if !keys.is_empty() {
        KeysState::Keys
    } else if not_a_file && files.is_empty() {
        KeysState::NotAFile
    } else if files.is_empty() {
        KeysState::Missing
    } else if said.is_empty() {
        KeysState::Empty
    } else if bad
        .iter()
        .any(|line| line.starts_with("-----BEGIN") && line.contains("PRIVATE"))
    {
        KeysState::PrivateKey
    } else if wrapped(&bad) {
        KeysState::Wrapped
    } else {
        KeysState::Garbage
    };
    KeysFacts {
        state,
        count: i64::try_from(keys.len()).unwrap_or(i64::MAX),
        has_ours: (!blobs.is_empty()).then_some(our_lines().next().is_some()),
        // One line without a problem is enough.
        option_problem: problems.iter().copied().min().flatten(),
        our_options: our_lines().map(|(options, _)| (*options).to_owned()).collect(),
        our_lines: files
            .iter()
            .flat_map(|(file, lines)| {
                lines.iter().zip(1..).map(move |line| (*file, line))
            })
            .filter_map(|(file, (text, line))| {
                let (options, _) =
                    key(text.trim()).filter(|(_, blob)| blobs.contains(blob))?;
                let (options, unknown) = key_options::known(options);
                Some(OurLine { file: file.to_owned(), line, options, unknown })
            })
            .collect(),
        bad_lines: bad.iter().map(|line| shorten(line)).collect(),
    }
}

/// Options and base64 blob of a line that is a key.
fn key(line: &str) -> Option<(&str, &str)> {
    if let Some(blob) = blob(line) {
        return Some(("", blob));
    }
    // Options end at the first space outside of quotes.
    let mut quoted = false;
    let mut escaped = false;
    let end = line.find(|c: char| {
        match c {
            '"' if !escaped => quoted = !quoted,
            c if c.is_whitespace() && !quoted => return true,
            _ => {}
        }
        escaped = c == '\\';
        false
    })?;
    let (options, rest) = line.split_at(end);
    let named = options.split(['=', ',']).next().is_some_and(|name| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    });
    named.then(|| blob(rest.trim_start()).map(|blob| (options, blob)))?
}

/// The base64 blob of `type blob ...`, if it is one and of that type.
fn blob(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    let kind = words.next().filter(|kind| TYPES.contains(kind))?;
    let blob = words.next()?;
    // The blob begins with its type, as a length and its characters. The
    // last of these may share its base64 digits with what follows.
    let mut head = u32::try_from(kind.len()).ok()?.to_be_bytes().to_vec();
    head.extend_from_slice(kind.as_bytes());
    let decoded = decode(blob)?;
    (decoded.starts_with(&head) && complete(&decoded)).then_some(blob)
}

/// Whether a blob is made of whole fields (RFC 4251 strings) to its end.
fn complete(mut blob: &[u8]) -> bool {
    let mut fields = 0;
    while !blob.is_empty() {
        let Some((length, rest)) = blob.split_first_chunk::<4>() else { return false };
        let length = u32::from_be_bytes(*length) as usize;
        // Security keys end with their application; all are strings as well.
        let Some(rest) = rest.get(length..) else { return false };
        blob = rest;
        fields += 1;
    }
    fields >= 2
}

/// Base64 (RFC 4648 section 4), strict about its alphabet, lax about padding.
fn decode(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=');
    let mut bytes = Vec::with_capacity(digits.len() * 3 / 4);
    let (mut buffer, mut bits) = (0_u32, 0);
    for digit in digits.bytes() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        buffer = (buffer << 6 | u32::from(value)) & 0xff_ffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((buffer >> bits & 0xff) as u8);
        }
    }
    Some(bytes)
}

/// Whether lines put together are a key.
fn wrapped(lines: &[&str]) -> bool {
    let Some(start) = lines.iter().position(|line| {
        line.split_whitespace().next().is_some_and(|word| TYPES.contains(&word))
    }) else {
        return false;
    };
    (start + 2..=lines.len()).any(|end| blob(&lines[start..end].concat()).is_some())
}

/// The first characters of a line; never a whole secret.
fn shorten(line: &str) -> String {
    let mut short: String = line.chars().take(40).collect();
    if short.len() < line.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEJlKyCYkpMbZ4BcMvZ4N4bpZtqnRj2sNXWQhn6nX1eS";
    const OTHER: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMr1JrCYkpMbZ4BcMvZ4N4bpZtqnRj2sNXWQhn6nX1eS";

    fn facts(text: &str) -> KeysFacts {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        derive(&[("f", lines.as_slice())], &[OURS], false, Visitor::default())
    }

    #[test]
    fn our_key_is_found_with_comment_and_options() {
        for line in [
            OURS.to_owned(),
            format!("  {OURS} me@home"),
            format!("no-pty,from=\"10.0.0.1, *.example\" {OURS} me"),
            format!("# first\n\n{OTHER}\n{OURS}"),
        ] {
            let facts = facts(&line);
            assert_eq!(
                (facts.state, facts.has_ours),
                (KeysState::Keys, Some(true)),
                "{line}"
            );
        }
    }

    #[test]
    fn other_keys_are_not_ours() {
        let facts = facts(OTHER);
        assert_eq!((facts.state, facts.has_ours), (KeysState::Keys, Some(false)));
    }

    #[test]
    fn each_kind_of_nothing_has_its_word() {
        assert_eq!(facts("").state, KeysState::Empty);
        assert_eq!(facts("# none\n\n").state, KeysState::Empty);
        assert_eq!(
            facts("-----BEGIN OPENSSH PRIVATE KEY-----").state,
            KeysState::PrivateKey
        );
        assert_eq!(
            facts(&format!("{}\n{}", &OURS[..40], &OURS[40..])).state,
            KeysState::Wrapped
        );
        assert_eq!(facts(&OURS[..60]).state, KeysState::Garbage);
        assert_eq!(facts("hello").state, KeysState::Garbage);
        let nobody = Visitor::default();
        assert_eq!(derive(&[], &[], false, nobody).state, KeysState::Missing);
        assert_eq!(derive(&[], &[], true, nobody).state, KeysState::NotAFile);
    }
}
