//! What `sshd -t` says, line by line.
//!
//! The texts are servconf.c's (OpenSSH 6.6 to 10); every complaint about a file
//! has the form `FILE: line N: ...` or `FILE line N: ...`. Most make sshd refuse
//! to start; `Deprecated option` and `Unsupported option` are only said, and the
//! exit status tells whether anything was fatal.

use super::Directive;

/// What `sshd -t` said.
#[derive(Debug, Clone, Copy, Default)]
pub struct TestOutput<'a> {
    /// Its exit status; none if it could not be run.
    pub exit: Option<i32>,
    /// Standard output.
    pub stdout: &'a str,
    /// Standard error.
    pub stderr: &'a str,
}

/// One line of a configuration file that sshd does not accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// The file.
    pub file: String,
    /// The line's number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub kind: ComplaintKind,
    /// sshd's words, without file and line.
    pub message: String,
}

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComplaintKind {
    /// No such keyword.
    BadOption,
    /// A keyword with a value that it does not take.
    BadValue,
    /// A port that is none.
    BadPort,
    /// A list of algorithms with a name that sshd does not know.
    BadAlgorithm,
    /// A line glued to the one before it.
    GluedLines,
    /// A `Match` whose condition is none.
    BadMatch,
    /// A keyword that may not stand in a `Match` block.
    NotInMatch,
}

impl ComplaintKind {
    /// The kind in one word, as rules know it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadOption => "bad-option",
            Self::BadValue => "bad-value",
            Self::BadPort => "bad-port",
            Self::BadAlgorithm => "bad-algorithm",
            Self::GluedLines => "glued-lines",
            Self::BadMatch => "bad-match",
            Self::NotInMatch => "not-in-match",
        }
    }
}

/// File, line number and message of `FILE: line N: MESSAGE` or `FILE line N: MESSAGE`.
fn place(text: &str) -> Option<(&str, usize, &str)> {
    const WORD: &str = " line ";
    if !text.starts_with('/') {
        return None;
    }
    text.match_indices(WORD).find_map(|(at, _)| {
        let file = &text[..at];
        let file = file.strip_suffix(':').unwrap_or(file);
        let (number, message) = text[at + WORD.len()..].split_once(": ")?;
        let digits = number.bytes().all(|byte| byte.is_ascii_digit());
        let number = number.parse().ok().filter(|number| digits && *number > 0)?;
        (file.len() > 1 && !message.is_empty()).then_some((file, number, message))
    })
}

/// The lines that keep sshd from starting; none if `sshd -t` succeeded.
pub fn complaints(test: TestOutput, config: &[Directive]) -> Vec<Complaint> {
    if test.exit == Some(0) {
        return Vec::new();
    }
    let mut found: Vec<Complaint> = Vec::new();
    for line in lines(test) {
        let Some((file, number, message)) = place(line) else { continue };
        let (file, message) = (file.to_owned(), message.to_owned());
        let said = config.iter().find(|said| said.file == file && said.line == number);
        let Some(kind) = kind(&message, said) else { continue };
        let complaint = Complaint { file, line: number, kind, message };
        if !found.iter().any(|known| known.file == complaint.file && known.line == number)
        {
            found.push(complaint);
        }
    }
    found
}

/// What else `sshd -t` says when it fails: everything that is about no line.
pub fn other_errors(test: TestOutput) -> Vec<String> {
    if test.exit == Some(0) {
        return Vec::new();
    }
    lines(test)
        .filter(|line| place(line).is_none() && !line.contains(": terminating, "))
        .map(str::to_owned)
        .collect()
}

fn lines(test: TestOutput<'_>) -> impl Iterator<Item = &str> {
    test.stderr
        .lines()
        .chain(test.stdout.lines())
        .map(str::trim)
        .filter(|line| !line.is_empty())
}

/// What a message is about; nothing for one that is only a warning.
fn kind(message: &str, said: Option<&Directive>) -> Option<ComplaintKind> {
    let begins = |text: &str| message.starts_with(text);
    if begins("Deprecated option") || begins("Unsupported option") {
        return None;
    }
    Some(if begins("Bad configuration option") {
        ComplaintKind::BadOption
    } else if begins("Bad Match condition") || begins("Unsupported Match attribute") {
        ComplaintKind::BadMatch
    } else if message.contains("is not allowed within a Match block") {
        ComplaintKind::NotInMatch
    } else if said.and_then(|said| glued(&said.text)).is_some() {
        ComplaintKind::GluedLines
    } else if begins("Badly formatted port number") {
        ComplaintKind::BadPort
    } else if begins("Bad SSH2 ") || begins("Bad key types") {
        ComplaintKind::BadAlgorithm
    } else {
        ComplaintKind::BadValue
    })
}

/// Splits a line to which a tool appended another one without a line break
/// (`PasswordAuthentication yesPermitRootLogin no`).
///
/// Only `yes` or `no` followed by the name of a keyword that takes a value is
/// taken for that.
pub fn glued(text: &str) -> Option<(String, String)> {
    let (keyword, rest) = text.split_once(char::is_whitespace)?;
    let rest = rest.trim_start();
    for value in ["yes", "no"] {
        let Some(second) = rest.strip_prefix(value) else { continue };
        let next: String = second.chars().take_while(char::is_ascii_alphabetic).collect();
        let known = KEYWORDS.iter().any(|known| known.eq_ignore_ascii_case(&next));
        if known && !second[next.len()..].trim().is_empty() {
            return Some((format!("{keyword} {value}"), second.trim().to_owned()));
        }
    }
    None
}

/// Keywords that tools append: sshd_config(5), those with a plain value.
const KEYWORDS: &[&str] = &[
    "AcceptEnv",
    "AddressFamily",
    "AllowAgentForwarding",
    "AllowGroups",
    "AllowStreamLocalForwarding",
    "AllowTcpForwarding",
    "AllowUsers",
    "AuthenticationMethods",
    "AuthorizedKeysCommand",
    "AuthorizedKeysCommandUser",
    "AuthorizedKeysFile",
    "Banner",
    "ChallengeResponseAuthentication",
    "ChrootDirectory",
    "Ciphers",
    "ClientAliveCountMax",
    "ClientAliveInterval",
    "Compression",
    "DenyGroups",
    "DenyUsers",
    "ForceCommand",
    "GatewayPorts",
    "GSSAPIAuthentication",
    "HostKey",
    "HostKeyAlgorithms",
    "HostbasedAuthentication",
    "IgnoreRhosts",
    "Include",
    "KbdInteractiveAuthentication",
    "KexAlgorithms",
    "ListenAddress",
    "LogLevel",
    "LoginGraceTime",
    "MACs",
    "Match",
    "MaxAuthTries",
    "MaxSessions",
    "MaxStartups",
    "PasswordAuthentication",
    "PermitEmptyPasswords",
    "PermitRootLogin",
    "PermitTTY",
    "PermitTunnel",
    "PermitUserEnvironment",
    "PidFile",
    "Port",
    "PrintLastLog",
    "PrintMotd",
    "Protocol",
    "PubkeyAcceptedAlgorithms",
    "PubkeyAuthentication",
    "RekeyLimit",
    "StrictModes",
    "Subsystem",
    "SyslogFacility",
    "TCPKeepAlive",
    "TrustedUserCAKeys",
    "UseDNS",
    "UsePAM",
    "VersionAddendum",
    "X11DisplayOffset",
    "X11Forwarding",
    "X11UseLocalhost",
    "XAuthLocation",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(stderr: &str) -> Vec<(usize, ComplaintKind)> {
        let test = TestOutput { exit: Some(255), stdout: "", stderr };
        complaints(test, &[]).into_iter().map(|c| (c.line, c.kind)).collect()
    }

    #[test]
    fn both_forms_of_a_complaint_are_read() {
        let text = "/etc/ssh/sshd_config: line 123: Bad configuration option: PermitRootLogn\n\
                    /etc/ssh/sshd_config: terminating, 1 bad configuration options\n";
        assert_eq!(kinds(text), [(123, ComplaintKind::BadOption)]);
        let text = "/etc/ssh/sshd_config line 1: Badly formatted port number.";
        assert_eq!(kinds(text), [(1, ComplaintKind::BadPort)]);
        let text = "/etc/ssh/sshd_config.d/a b.conf line 4: Directive 'UsePAM' is not allowed \
                    within a Match block";
        assert_eq!(kinds(text), [(4, ComplaintKind::NotInMatch)]);
    }

    #[test]
    fn warnings_are_no_complaints() {
        let text = "/etc/ssh/sshd_config line 1: Deprecated option UsePrivilegeSeparation\n\
                    /etc/ssh/sshd_config line 2: Unsupported option GSSAPIAuthentication\n\
                    /etc/ssh/sshd_config: line 3: Bad configuration option: Foo";
        assert_eq!(kinds(text), [(3, ComplaintKind::BadOption)]);
    }

    #[test]
    fn a_successful_test_has_no_complaints() {
        let test = TestOutput {
            exit: Some(0),
            stderr: "/etc/ssh/sshd_config: line 3: Bad configuration option: Foo",
            ..TestOutput::default()
        };
        assert!(complaints(test, &[]).is_empty());
        assert!(other_errors(test).is_empty());
    }

    #[test]
    fn glued_lines_are_told_from_bad_values() {
        assert_eq!(
            glued("UsePAM yesAddressFamily any"),
            Some(("UsePAM yes".to_owned(), "AddressFamily any".to_owned()))
        );
        assert_eq!(glued("UsePAM yesterday"), None);
        assert_eq!(glued("UsePAM maybe"), None);
    }
}
