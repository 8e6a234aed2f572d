//! The clouds that are known by name: Azure's own, the running lab, and those
//! that were registered. az's shape, in `clouds.json` of the configuration
//! directory: `REGAIN_CONFIG_DIR`, else `$XDG_CONFIG_HOME/regain`.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::lab::LabState;

/// Azure's clouds, as az knows them.
const KNOWN: &str = include_str!("known_clouds.json");
/// The name of the running lab among the clouds.
pub(crate) const LAB: &str = "lab";
const AZURE: &str = "AzureCloud";

/// What the file holds.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Registry {
    /// The cloud that was set, if one was.
    #[serde(default)]
    active: Option<String>,
    #[serde(default)]
    clouds: BTreeMap<String, Value>,
}

/// The clouds, and the file that they are kept in.
#[derive(Debug)]
pub(crate) struct Clouds {
    path: PathBuf,
    registry: Registry,
    /// The endpoint of the running lab.
    lab: Option<String>,
}

impl Clouds {
    /// Reads what is known. No file is no cloud registered.
    pub(crate) fn read(lab: &LabState) -> Result<Self, Failure> {
        // A lab that another user runs cannot be read, and is then not listed.
        let lab = lab.server().ok().flatten().map(|server| server.endpoint);
        Self::in_dir(&directory(), lab)
    }

    fn in_dir(dir: &Path, lab: Option<String>) -> Result<Self, Failure> {
        let path = dir.join("clouds.json");
        let registry = match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map_err(|error| {
                Failure::new(format!("{} is damaged", path.display()))
                    .because(error)
                    .next("mend it, or move it away and register the clouds again")
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Registry::default(),
            Err(error) => {
                return Err(Failure::new(format!("cannot read {}", path.display()))
                    .because(error));
            }
        };
        Ok(Self { path, registry, lab })
    }

    /// The name of the cloud that was set with `cloud set`.
    pub(crate) fn set(&self) -> Option<&str> {
        self.registry.active.as_deref()
    }

    /// The name of the cloud that is asked where nothing else is said.
    pub(crate) fn active(&self) -> &str {
        match (self.set(), &self.lab) {
            (Some(name), _) => name,
            (None, Some(_)) => LAB,
            (None, None) => AZURE,
        }
    }

    /// Every cloud, as az shows it: Azure's, the lab, those that were registered.
    pub(crate) fn all(&self) -> Vec<Value> {
        let mut all: Vec<Value> = serde_json::from_str(KNOWN).unwrap_or_default();
        if let Some(endpoint) = &self.lab {
            all.push(document(LAB, &json!({ "resourceManager": endpoint }), &json!({})));
        }
        all.extend(self.registry.clouds.values().cloned());
        for cloud in &mut all {
            cloud["isActive"] = (cloud["name"] == self.active()).into();
        }
        all
    }

    /// The cloud of that name, without regard to case.
    pub(crate) fn find(&self, name: &str) -> Result<Value, Failure> {
        let is = |cloud: &Value| {
            cloud["name"].as_str().is_some_and(|known| known.eq_ignore_ascii_case(name))
        };
        self.all().into_iter().find(is).ok_or_else(|| {
            Failure::new(format!("The cloud '{name}' is not registered.")).next(
                "see `regain cloud list`, or register it with `regain cloud register`",
            )
        })
    }

    /// Where the requests to a cloud go.
    pub(crate) fn endpoint(&self, name: &str) -> Result<String, Failure> {
        let cloud = self.find(name)?;
        cloud["endpoints"]["resourceManager"].as_str().map(str::to_owned).ok_or_else(
            || {
                Failure::new(format!(
                    "The cloud '{name}' has no resource manager endpoint"
                ))
                .next("unregister it and register it again")
            },
        )
    }

    /// Makes a cloud the one that is asked.
    pub(crate) fn choose(&mut self, name: &str) -> Result<(), Failure> {
        let cloud = self.find(name)?;
        self.registry.active = cloud["name"].as_str().map(str::to_owned);
        self.write()
    }

    /// Keeps a new cloud.
    pub(crate) fn add(&mut self, cloud: Value) -> Result<(), Failure> {
        let name = cloud["name"].as_str().unwrap_or_default().to_owned();
        if name.is_empty() || name.contains(char::is_control) {
            return Err(Failure::usage(format!(
                "'{name}' cannot be the name of a cloud"
            )));
        }
        if self.find(&name).is_ok() || name.eq_ignore_ascii_case(LAB) {
            return Err(Failure::new(format!(
                "The cloud '{name}' is already registered."
            )));
        }
        self.registry.clouds.insert(name, cloud);
        self.write()
    }

    /// Forgets a cloud that was registered.
    pub(crate) fn remove(&mut self, name: &str) -> Result<(), Failure> {
        let found = self.find(name)?;
        let name = found["name"].as_str().unwrap_or_default();
        if self.registry.clouds.remove(name).is_none() {
            return Err(Failure::new(format!(
                "The cloud '{name}' cannot be unregistered as it's not a custom cloud."
            )));
        }
        if self.set() == Some(name) {
            self.registry.active = None;
        }
        self.write()
    }

    /// Writes all of it or nothing; other users cannot read it.
    fn write(&self) -> Result<(), Failure> {
        let write = || -> io::Result<()> {
            let dir = self.path.parent().unwrap_or(&self.path);
            fs::create_dir_all(dir)?;
            let mut file = tempfile::NamedTempFile::new_in(dir)?;
            serde_json::to_writer_pretty(&mut file, &self.registry)?;
            file.write_all(b"\n")?;
            file.as_file().sync_all()?;
            file.persist(&self.path)?;
            Ok(())
        };
        write().map_err(|error| {
            Failure::new(format!("cannot write {}", self.path.display()))
                .because(error)
                .next("name another directory in REGAIN_CONFIG_DIR")
        })
    }
}

/// A cloud's document, from what it says about itself or what was typed: every
/// key that az has, null where nothing is known.
pub(crate) fn document(name: &str, endpoints: &Value, suffixes: &Value) -> Value {
    let known: Value = serde_json::from_str(KNOWN).unwrap_or_default();
    let keys = |part: &str, values: &Value| {
        let keys = known[0][part].as_object().into_iter().flat_map(Map::keys);
        keys.map(|key| (key.clone(), values[key].clone())).collect::<Map<_, _>>()
    };
    json!({
        "endpoints": keys("endpoints", endpoints),
        "name": name,
        "profile": "latest",
        "suffixes": keys("suffixes", suffixes),
    })
}

/// What a cloud says of itself at `/metadata/endpoints`, in az's words.
pub(crate) fn described(metadata: &Value) -> (Value, Value) {
    let audience = &metadata["authentication"]["audiences"][0];
    let endpoints = json!({
        "activeDirectory": metadata["authentication"]["loginEndpoint"],
        "activeDirectoryDataLakeResourceId": metadata["activeDirectoryDataLake"],
        "activeDirectoryGraphResourceId": metadata["graphAudience"],
        "activeDirectoryResourceId": audience,
        "batchResourceId": metadata["batch"],
        "gallery": metadata["gallery"],
        "management": audience,
        "mediaResourceId": metadata["media"],
        "microsoftGraphResourceId": metadata["microsoftGraphResourceId"],
        "portal": metadata["portal"],
        "resourceManager": metadata["resourceManager"],
        "sqlManagement": metadata["sqlManagement"],
        "vmImageAliasDoc": metadata["vmImageAliasDoc"],
    });
    let suffix = |key: &str| match metadata["suffixes"][key].as_str() {
        None | Some("") => Value::Null,
        Some(suffix) if suffix.starts_with('.') => suffix.into(),
        Some(suffix) => format!(".{suffix}").into(),
    };
    let suffixes = json!({
        "acrLoginServerEndpoint": suffix("acrLoginServer"),
        "keyvaultDns": suffix("keyVaultDns"),
        "mhsmDns": suffix("mhsmDns"),
        "sqlServerHostname": suffix("sqlServerHostname"),
        "storageEndpoint": metadata["suffixes"]["storage"],
        "synapseAnalyticsEndpoint": suffix("synapseAnalytics"),
    });
    (endpoints, suffixes)
}

fn directory() -> PathBuf {
    let set =
        |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("REGAIN_CONFIG_DIR")
        .or_else(|| Some(set("XDG_CONFIG_HOME")?.join("regain")))
        .or_else(|| Some(set("HOME")?.join(".config/regain")))
        // Without a home nothing is registered, and nothing can be.
        .unwrap_or_else(|| PathBuf::from("/nonexistent/regain"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clouds(dir: &tempfile::TempDir, lab: Option<&str>) -> Clouds {
        Clouds::in_dir(&dir.path().join("regain"), lab.map(str::to_owned)).unwrap()
    }

    fn own() -> Value {
        document("Own", &json!({"resourceManager": "https://own.invalid"}), &json!({}))
    }

    #[test]
    fn azures_clouds_are_known() {
        let dir = tempfile::tempdir().unwrap();
        let clouds = clouds(&dir, None);
        assert_eq!(clouds.active(), "AzureCloud");
        assert_eq!(
            clouds.endpoint("azurechinacloud").unwrap(),
            "https://management.chinacloudapi.cn"
        );
        assert_eq!(clouds.find("nope").unwrap_err().exit_code(), 1);
    }

    #[test]
    fn a_running_lab_is_a_cloud() {
        let dir = tempfile::tempdir().unwrap();
        let clouds = clouds(&dir, Some("https://127.0.0.1:1"));
        assert_eq!(clouds.active(), "lab");
        assert_eq!(clouds.endpoint("Lab").unwrap(), "https://127.0.0.1:1");
    }

    #[test]
    fn what_is_registered_and_set_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let mut first = clouds(&dir, None);
        first.add(own()).unwrap();
        first.choose("own").unwrap();
        assert!(first.add(own()).is_err());
        let mut second = clouds(&dir, None);
        assert_eq!(second.set(), Some("Own"));
        assert_eq!(second.endpoint("Own").unwrap(), "https://own.invalid");
        assert!(second.remove("AzureCloud").is_err());
        second.remove("Own").unwrap();
        assert_eq!(clouds(&dir, None).registry, Registry::default());
    }

    #[test]
    fn a_damaged_file_is_named_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("regain")).unwrap();
        let path = dir.path().join("regain/clouds.json");
        fs::write(&path, "{").unwrap();
        let failure = Clouds::in_dir(&dir.path().join("regain"), None).unwrap_err();
        assert!(failure.chain().contains("clouds.json is damaged"));
        assert_eq!(fs::read_to_string(path).unwrap(), "{");
    }
}
