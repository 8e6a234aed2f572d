//! What ssh makes of a host before it connects: `ssh -G`.
//!
//! The operator's configuration may rename the host, move the port, name other keys
//! or go through a jump host. ssh itself says what comes out of it.

use std::path::{Path, PathBuf};

use crate::request::Request;
use crate::ssh::local::{ending, program, run};

/// ssh's settings for one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// What ssh is asked to connect to.
    pub(crate) host: String,
    /// The login name.
    pub(crate) user: String,
    /// The name or address that ssh connects to.
    pub(crate) hostname: String,
    /// The port that ssh connects to.
    pub(crate) port: u16,
    /// The private keys that ssh offers, in its order.
    pub(crate) identities: Vec<PathBuf>,
    /// The operator's known hosts files.
    pub(crate) known_hosts: Vec<PathBuf>,
    /// The jump host or command that ssh goes through, if any.
    pub(crate) proxy: Option<String>,
    /// The key that the operator named.
    pub(crate) named: Option<PathBuf>,
    /// Why these are only the defaults, if they are.
    pub(crate) refused: Option<String>,
    /// Which ssh said so, if it did.
    pub(crate) version: Option<String>,
}

impl Settings {
    /// Asks ssh about `host`. Where ssh refuses its own configuration, the login says
    /// so; these are then the defaults.
    pub(crate) async fn of(request: &Request, host: &str) -> Self {
        let mut command = program("ssh");
        // Of what it would do, `-v` says first which ssh it is.
        command.args(["-v", "-G"]).args(arguments(request)).arg("--").arg(host);
        let mut version = None;
        let said = match run(&mut command).await {
            Ok(output) if output.status.success() => {
                version = version_of(&output.stderr);
                Ok(String::from_utf8_lossy(&output.stdout).into_owned())
            }
            Ok(output) => Err(format!("ssh -G ended with {}", ending(&output))),
            Err(error) => Err(error.to_string()),
        };
        let home = std::env::home_dir().unwrap_or_default();
        let settings = parse(said.as_deref().unwrap_or_default(), request, host, &home);
        Self { refused: said.err(), version, ..settings }
    }

    /// The arguments that lead ssh to the same place.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let mut arguments = vec!["-l".to_owned(), self.user.clone()];
        arguments.extend(["-p".to_owned(), self.port.to_string()]);
        if let Some(key) = &self.named {
            arguments.extend(["-i".to_owned(), key.display().to_string()]);
        }
        arguments
    }

    /// How known hosts files name this server.
    pub(crate) fn known_as(&self) -> String {
        match self.port {
            22 => self.hostname.clone(),
            port => format!("[{}]:{port}", self.hostname),
        }
    }
}

fn arguments(request: &Request) -> Vec<String> {
    let mut arguments = vec!["-l".to_owned(), request.user.clone()];
    if request.port != 22 {
        arguments.extend(["-p".to_owned(), request.port.to_string()]);
    }
    if let Some(key) = &request.identity {
        arguments.extend(["-i".to_owned(), key.display().to_string()]);
    }
    arguments
}

/// The first line of `ssh -v`: the same as `ssh -V` says.
fn version_of(stderr: &[u8]) -> Option<String> {
    let said = String::from_utf8_lossy(stderr);
    let first = said.lines().next()?.trim();
    first.starts_with("OpenSSH").then(|| first.to_owned())
}

fn parse(text: &str, request: &Request, host: &str, home: &Path) -> Settings {
    let values = |keyword: &'static str| {
        text.lines()
            .filter_map(move |line| line.split_once(' '))
            .filter(move |(word, _)| word.eq_ignore_ascii_case(keyword))
            .map(|(_, value)| value.trim())
    };
    let one = |keyword| values(keyword).next().filter(|value| *value != "none");
    let path = |text: &str| match text.strip_prefix("~/") {
        Some(rest) => home.join(rest),
        None => PathBuf::from(text),
    };
    let mut identities: Vec<PathBuf> = values("identityfile").map(path).collect();
    if identities.is_empty() {
        identities = default_identities(request, home);
    }
    let known_hosts = match &request.known_hosts {
        Some(file) => vec![file.clone()],
        None if text.is_empty() => vec![home.join(".ssh/known_hosts")],
        None => values("userknownhostsfile")
            .flat_map(str::split_ascii_whitespace)
            .filter(|file| *file != "none")
            .map(path)
            .collect(),
    };
    Settings {
        host: host.to_owned(),
        user: one("user").unwrap_or(&request.user).to_owned(),
        hostname: one("hostname").unwrap_or(host).to_owned(),
        port: one("port").and_then(|port| port.parse().ok()).unwrap_or(request.port),
        identities,
        known_hosts,
        proxy: one("proxyjump").or_else(|| one("proxycommand")).map(str::to_owned),
        named: request.identity.clone(),
        refused: None,
        version: None,
    }
}

fn default_identities(request: &Request, home: &Path) -> Vec<PathBuf> {
    match &request.identity {
        Some(key) => vec![key.clone()],
        None => ["id_rsa", "id_ecdsa", "id_ed25519"]
            .map(|name| home.join(".ssh").join(name))
            .to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn request(identity: Option<&str>) -> Request {
        Request {
            user: "me".to_owned(),
            host: None,
            port: 22,
            identity: identity.map(PathBuf::from),
            known_hosts: None,
            channel: None,
            platform: None,
            client_address: None,
            connect_timeout: Duration::from_secs(1),
        }
    }

    const TEXT: &str = "user azureuser\nhostname vm.example\nport 2222\n\
        identityfile ~/.ssh/id_ed25519\nidentityfile /keys/one\n\
        userknownhostsfile ~/.ssh/known_hosts /root/.ssh/known_hosts2\n\
        proxyjump bastion\nproxycommand none\n";

    #[test]
    fn ssh_says_where_an_alias_leads() {
        let settings = parse(TEXT, &request(None), "alias", Path::new("/home/me"));
        assert_eq!(settings.hostname, "vm.example");
        assert_eq!(settings.port, 2222);
        assert_eq!(settings.user, "azureuser");
        assert_eq!(settings.proxy.as_deref(), Some("bastion"));
        assert_eq!(settings.known_as(), "[vm.example]:2222");
        assert_eq!(
            settings.identities,
            [Path::new("/home/me/.ssh/id_ed25519"), Path::new("/keys/one")]
        );
        assert_eq!(
            settings.known_hosts,
            [
                Path::new("/home/me/.ssh/known_hosts"),
                Path::new("/root/.ssh/known_hosts2")
            ]
        );
    }

    #[test]
    fn without_an_answer_the_request_and_the_defaults_stand() {
        let settings = parse("", &request(Some("/k")), "host", Path::new("/home/me"));
        assert_eq!((settings.hostname.as_str(), settings.port), ("host", 22));
        assert_eq!(settings.identities, [Path::new("/k")]);
        assert_eq!(settings.known_hosts, [Path::new("/home/me/.ssh/known_hosts")]);
        let settings = parse("", &request(None), "host", Path::new("/home/me"));
        assert_eq!(settings.identities.len(), 3);
        assert_eq!(settings.known_as(), "host");
    }
}
