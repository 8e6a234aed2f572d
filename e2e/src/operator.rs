//! Somebody who sits down and types: a home directory of one's own, in which the
//! clients keep their settings and logins.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::{Client, Lab, Ran};

/// A command that has not ended by then is a failure, not a wait.
const LIMIT: &str = "240";

/// What the SDK's lines run in.
const SDK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/clients/sdk.py");

/// An operator of one lab.
pub struct Operator<'lab> {
    lab: &'lab Lab,
    home: PathBuf,
    /// How the lab is reached and entered, as `regain lab env` says it.
    entry: Entry,
    /// Where everything goes that is not for this host: nowhere.
    proxy: Option<String>,
}

/// What `regain lab env` says.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The address of ARM.
    pub endpoint: String,
    /// The tenant's id.
    pub tenant: String,
    /// The owner's client id.
    pub client_id: String,
    /// The owner's secret.
    pub client_secret: String,
    /// The subscription's id.
    pub subscription: String,
    /// The authority's certificate.
    pub ca: String,
    /// The secret of this host's managed identity.
    pub identity: String,
}

impl Entry {
    /// Ask the lab.
    ///
    /// # Panics
    /// If it does not run.
    pub fn of(lab: &Lab) -> Self {
        let said = lab.regain(&["lab", "env", "-o", "json"]).ok().json();
        let word = |name: &str| {
            said[name].as_str().unwrap_or_else(|| panic!("{name} in {said}")).to_owned()
        };
        let kept = std::fs::read_to_string(lab.state().join("credentials.json"));
        let kept: Value = kept
            .ok()
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default();
        Self {
            identity: kept["identityHeader"].as_str().unwrap_or_default().to_owned(),
            endpoint: word("REGAIN_ENDPOINT"),
            tenant: word("REGAIN_TENANT"),
            client_id: word("REGAIN_CLIENT_ID"),
            client_secret: word("REGAIN_CLIENT_SECRET"),
            subscription: word("REGAIN_SUBSCRIPTION"),
            ca: word("REQUESTS_CA_BUNDLE"),
        }
    }
}

/// Who types, if it is not the owner: a service principal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// What this operator calls it.
    pub name: String,
    /// Its client id.
    pub id: String,
    /// Its secret.
    pub secret: String,
}

impl<'lab> Operator<'lab> {
    /// Somebody new, with an empty home.
    ///
    /// # Panics
    /// If the home cannot be made.
    pub fn new(lab: &'lab Lab, home: PathBuf, proxy: Option<String>) -> Self {
        std::fs::create_dir_all(&home).expect("a home directory");
        Self { lab, home, entry: Entry::of(lab), proxy }
    }

    /// Somebody with the same settings and logins, in a home of one's own: clients
    /// that run side by side write into theirs.
    ///
    /// # Panics
    /// If the home cannot be copied.
    pub fn double(&self, home: PathBuf) -> Self {
        let mut copy = Command::new("cp");
        copy.arg("-a").arg(&self.home).arg(&home);
        Ran::of(copy).ok();
        Self { lab: self.lab, home, entry: self.entry.clone(), proxy: self.proxy.clone() }
    }

    /// The home directory.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// How the lab is entered.
    pub fn entry(&self) -> &Entry {
        &self.entry
    }

    /// Log in as the lab's owner.
    ///
    /// # Errors
    /// With what the client said, if it does not accept it.
    pub fn sign_in(&self, client: Client) -> Result<(), String> {
        let Entry { endpoint, tenant, client_id, client_secret, .. } = &self.entry;
        let lines: Vec<Vec<&str>> = match client {
            Client::Az => vec![
                vec!["cloud", "register", "-n", "Lab"],
                vec!["cloud", "set", "-n", "Lab"],
                vec!["login", "--service-principal", "--tenant", tenant],
            ],
            Client::Classic => vec![
                vec!["telemetry", "--disable"],
                vec!["config", "mode", "arm"],
                vec!["account", "env", "add", "Lab"],
                vec!["login", "-e", "Lab", "--service-principal", "--tenant", tenant],
            ],
            Client::Python | Client::Regain => vec![],
        };
        let resource = "https://management.regain.invalid/";
        let more: [&[&str]; 2] = match client {
            Client::Az => [
                &["--endpoint-resource-manager", endpoint],
                &["-u", client_id, "-p", client_secret],
            ],
            _ => [
                &[
                    "--resource-manager-endpoint-url",
                    endpoint,
                    "--management-endpoint-url",
                    endpoint,
                    "--active-directory-endpoint-url",
                    endpoint,
                    "--active-directory-resource-id",
                    resource,
                    "--active-directory-graph-resource-id",
                    resource,
                    "--gallery-endpoint-url",
                    endpoint,
                    "--publishing-profile-url",
                    endpoint,
                    "--portal-url",
                    endpoint,
                ],
                &["-u", client_id, "-p", client_secret],
            ],
        };
        for mut line in lines {
            if line.contains(&"register") || line.contains(&"add") {
                line.extend(more[0]);
            }
            if line[0] == "login" {
                line.extend(more[1]);
            }
            let ran = self.run(client, &line, None);
            if ran.exit != 0 {
                return Err(format!("{} cannot log in: {ran:#?}", client.name()));
            }
        }
        Ok(())
    }

    /// An operator who is logged in with az.
    ///
    /// # Panics
    /// If az is not installed, or cannot log in.
    pub fn with_az(lab: &'lab Lab) -> Self {
        let operator = Self::new(lab, lab.home().join("operator"), None);
        if let Err(why) =
            Client::Az.installed().and_then(|_| operator.sign_in(Client::Az))
        {
            panic!("{why}");
        }
        operator
    }

    /// Log somebody else in to az, in a directory of its own, if that was not done yet.
    /// Without a name to log in with, only the directory is there.
    ///
    /// # Errors
    /// With what az said, if it does not accept it.
    pub fn sign_in_as(&self, who: &Principal) -> Result<(), String> {
        let own = self.home.join(format!(".az-{}", who.name));
        if own.exists() || who.id.is_empty() {
            return Ok(());
        }
        let mut copy = Command::new("cp");
        copy.arg("-a").arg(self.home.join(".az")).arg(own);
        Ran::of(copy);
        self.run(Client::Az, &["account", "clear"], Some(who));
        let line = ["login", "--service-principal", "--tenant", &self.entry.tenant];
        let line = [&line[..], &["-u", &who.id, "-p", &who.secret]].concat();
        let ran = self.run(Client::Az, &line, Some(who));
        if ran.exit == 0 {
            Ok(())
        } else {
            Err(format!("{} cannot log in: {ran:#?}", who.name))
        }
    }

    /// Run one line.
    pub fn run(&self, client: Client, line: &[&str], who: Option<&Principal>) -> Ran {
        Ran::of(self.command(client, line, who))
    }

    /// One line as a process, not yet started.
    pub fn command(
        &self,
        client: Client,
        line: &[&str],
        who: Option<&Principal>,
    ) -> Command {
        let mut command = Command::new("timeout");
        command.args(["-k", "5", LIMIT]).arg(client.program());
        if client == Client::Python {
            command.arg(SDK);
        }
        command
            .args(line)
            .current_dir(&self.home)
            .env("HOME", &self.home)
            .env("LANG", "C.UTF-8")
            .env("REQUESTS_CA_BUNDLE", &self.entry.ca)
            .env("NO_PROXY", "127.0.0.1,localhost")
            .env("no_proxy", "127.0.0.1,localhost")
            .env_remove("REGAIN_ENDPOINT");
        if let Some(proxy) = &self.proxy {
            for name in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"] {
                command.env(name, proxy);
            }
        }
        match client {
            Client::Az => self.for_az(&mut command, who),
            Client::Classic => {
                command.env("NODE_NO_WARNINGS", "1");
                command.env("NODE_EXTRA_CA_CERTS", &self.entry.ca);
            }
            Client::Python => self.for_python(&mut command, who),
            Client::Regain => self.for_regain(&mut command, who),
        }
        command
    }

    /// az and the classic CLI both write `.azure/azureProfile.json`, and neither reads
    /// the other's.
    fn for_az(&self, command: &mut Command, who: Option<&Principal>) {
        let directory = match who {
            Some(who) => format!(".az-{}", who.name),
            None => ".az".to_owned(),
        };
        command
            .env("AZURE_CONFIG_DIR", self.home.join(directory))
            .env("AZURE_CORE_COLLECT_TELEMETRY", "0")
            .env("AZURE_CORE_CHECK_VERSION", "no")
            .env("AZURE_CORE_SURVEY_MESSAGE", "0");
    }

    fn for_python(&self, command: &mut Command, who: Option<&Principal>) {
        let (id, secret) = self.credentials(who);
        command
            .env("AZURE_AUTHORITY_HOST", &self.entry.endpoint)
            .env("AZURE_TENANT_ID", &self.entry.tenant)
            .env("AZURE_CLIENT_ID", id)
            .env("AZURE_CLIENT_SECRET", secret)
            .env("AZURE_SUBSCRIPTION_ID", &self.entry.subscription)
            .env("ARM_ENDPOINT", &self.entry.endpoint);
    }

    /// The owner finds the lab by its state; anybody else is in the environment.
    fn for_regain(&self, command: &mut Command, who: Option<&Principal>) {
        command.env("REGAIN_STATE", self.lab.state());
        command.env("AZURE_CONFIG_DIR", self.home.join(".az-none"));
        if let Some(who) = who {
            command
                .env("REGAIN_ENDPOINT", &self.entry.endpoint)
                .env("REGAIN_TENANT", &self.entry.tenant)
                .env("REGAIN_SUBSCRIPTION", &self.entry.subscription)
                .env("REGAIN_CLIENT_ID", &who.id)
                .env("REGAIN_CLIENT_SECRET", &who.secret);
        }
    }

    fn credentials<'who>(
        &'who self,
        who: Option<&'who Principal>,
    ) -> (&'who str, &'who str) {
        who.map_or((&self.entry.client_id, &self.entry.client_secret), |who| {
            (&who.id, &who.secret)
        })
    }

    /// What `regain` prints as the lab's owner: a second pair of eyes.
    ///
    /// # Errors
    /// If it fails or prints no JSON.
    pub fn look(&self, line: &[&str]) -> Result<Value, String> {
        let ran = self.run(Client::Regain, line, None);
        if ran.exit != 0 {
            return Err(format!("regain {}: {}", line.join(" "), ran.stderr.trim()));
        }
        if ran.stdout.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&ran.stdout).map_err(|error| error.to_string())
    }
}
