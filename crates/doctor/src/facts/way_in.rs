//! What the client saw: name, TCP, greeting, and ssh's own words.

use std::sync::LazyLock;

use regex::Regex;
use serde::Serialize;

use crate::case::{
    Greeting, GreetingOutcome, Login, LoginStage, Name, Resolution, Tcp, TcpOutcome,
};

/// Name resolution.
#[derive(Debug, Clone, Serialize)]
pub struct NameFacts {
    /// The name asked for.
    pub name: String,
    /// `literal`, `resolved`, `nxDomain`, `noAddress` or `unanswered`.
    pub outcome: &'static str,
    /// Its addresses.
    pub addresses: Vec<String>,
    /// Who answered, or the resolver's error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub said_by: Option<String>,
}

/// One TCP connect.
#[derive(Debug, Clone, Serialize)]
pub struct TcpFacts {
    /// The address that was tried.
    pub address: String,
    /// The port that was tried.
    pub port: i64,
    /// `connected`, `timedOut`, `refused`, `hostUnreachable`,
    /// `networkUnreachable`, `locallyDenied` or `reset`.
    pub outcome: TcpOutcome,
    /// How long it took, milliseconds.
    pub millis: i64,
    /// The system's error text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What the server said first.
#[derive(Debug, Clone, Serialize)]
pub struct GreetingFacts {
    /// The identification line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub banner: Option<String>,
    /// What came before it, or instead of it.
    pub before_banner: Vec<String>,
    /// `ok`, `silent`, `closed`, `reset`, `notSsh` or `noKexinit`.
    pub outcome: GreetingOutcome,
}

/// ssh's own words.
#[derive(Debug, Clone, Serialize)]
pub struct LoginFacts {
    /// How far it came.
    pub stage: LoginStage,
    /// Its exit status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit: Option<i64>,
    /// Its lines.
    pub stderr: Vec<String>,
    /// Its lines as one text.
    pub text: String,
    /// What the remote side printed.
    pub stdout: Vec<String>,
    /// Methods that the server still offered.
    pub methods: Vec<String>,
    /// Whether the server accepted the key.
    pub key_accepted: bool,
    /// Fingerprints of the keys that ssh offered.
    pub offered: Vec<String>,
    /// Key files that ssh refused because others can read them.
    pub refused_key_files: Vec<KeyFile>,
    /// Key files that ssh did not find.
    pub missing_key_files: Vec<String>,
    /// Key files that ssh could not read as keys.
    pub broken_key_files: Vec<String>,
    /// The client's known host key that the server's does not match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_host_key: Option<String>,
    /// The server's fingerprint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_key: Option<String>,
}

/// A key file that ssh refused.
#[derive(Debug, Clone, Serialize)]
pub struct KeyFile {
    /// Its path.
    pub path: String,
    /// Its permission bits, octal digits.
    pub mode: String,
}

macro_rules! pattern {
    ($name:ident, $pattern:literal) => {
        static $name: LazyLock<Regex> =
            LazyLock::new(|| Regex::new($pattern).expect("the pattern is a constant"));
    };
}

pattern!(TOO_OPEN, r"^Permissions (?P<mode>[0-7]+) for '(?P<path>.+)' are too open\.");
pattern!(
    NOT_FOUND,
    r"^(?:Warning: Identity file (?P<path>.+) not accessible|no such identity: (?P<name>.+)): "
);
pattern!(BROKEN, r#"^Load key "(?P<path>.+)": (?P<why>.+?)\.?$"#);
pattern!(OFFENDING, r"^Offending .* key in (?P<place>.+:[0-9]+)");

pub(super) fn name(name: &Name) -> NameFacts {
    let (outcome, addresses, said_by) = match &name.resolution {
        Resolution::Literal { addresses } => ("literal", addresses.clone(), None),
        Resolution::Resolved { addresses } => ("resolved", addresses.clone(), None),
        Resolution::NxDomain { server } => ("nxDomain", Vec::new(), Some(server.clone())),
        Resolution::NoAddress { server } => {
            ("noAddress", Vec::new(), Some(server.clone()))
        }
        Resolution::Unanswered { error } => {
            ("unanswered", Vec::new(), Some(error.clone()))
        }
    };
    NameFacts { name: name.name.clone(), outcome, addresses, said_by }
}

pub(super) fn tcp(tcp: &Tcp) -> TcpFacts {
    TcpFacts {
        address: tcp.address.clone(),
        port: tcp.port.into(),
        outcome: tcp.outcome,
        millis: i64::try_from(tcp.millis).unwrap_or(i64::MAX),
        error: tcp.error.clone(),
    }
}

pub(super) fn greeting(greeting: &Greeting) -> GreetingFacts {
    GreetingFacts {
        banner: greeting.banner.clone(),
        before_banner: greeting.before_banner.clone(),
        outcome: greeting.outcome,
    }
}

pub(super) fn login(login: &Login) -> LoginFacts {
    let lines = || login.stderr.iter().map(|line| line.trim());
    let mut missing: Vec<String> = lines()
        .filter_map(|line| {
            let found = NOT_FOUND.captures(line)?;
            let path = found.name("path").or_else(|| found.name("name"))?;
            Some(path.as_str().to_owned())
        })
        .collect();
    missing.dedup();
    LoginFacts {
        stage: login.stage,
        exit: login.exit.map(i64::from),
        stderr: login.stderr.clone(),
        text: login.stderr.join("\n"),
        stdout: login.stdout.clone(),
        methods: login.methods.clone(),
        key_accepted: login.key_accepted,
        offered: login.offered.clone(),
        refused_key_files: lines()
            .filter_map(|line| TOO_OPEN.captures(line))
            .map(|found| KeyFile {
                path: found["path"].to_owned(),
                mode: found["mode"].to_owned(),
            })
            .collect(),
        missing_key_files: missing,
        broken_key_files: lines()
            .filter_map(|line| BROKEN.captures(line))
            .filter(|found| &found["why"] != "bad permissions")
            .map(|found| found["path"].to_owned())
            .collect(),
        changed_host_key: lines()
            .find_map(|line| OFFENDING.captures(line))
            .map(|found| found["place"].to_owned()),
        host_key: login.host_key.clone(),
    }
}
