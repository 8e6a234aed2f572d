//! The OS profile of a new machine: judged, and turned into what its first boot
//! needs. The password leaves this file as a hash only.

use guest::provision::Provision;
use guest::settings::UserName;
use guest::{password, ssh_key};
use serde_json::{Map, Value};

use crate::app::Problem;
use crate::app::document::{items, text};

/// Names that Azure gives to nobody.
const RESERVED: [&str; 33] = [
    "1",
    "123",
    "a",
    "actuser",
    "adm",
    "admin",
    "admin1",
    "admin2",
    "administrator",
    "aspnet",
    "backup",
    "console",
    "david",
    "guest",
    "john",
    "owner",
    "root",
    "server",
    "sql",
    "support",
    "support_388945a0",
    "sys",
    "test",
    "test1",
    "test2",
    "test3",
    "user",
    "user1",
    "user2",
    "user3",
    "user4",
    "user5",
    "video",
];

/// What the first boot makes of a machine named `vm` by default.
pub(super) fn provision(
    vm: &str,
    properties: &Map<String, Value>,
) -> Result<Provision, Problem> {
    let missing = |target| {
        Problem::parameter(
            target,
            format!("Required parameter '{target}' is missing (null)."),
        )
    };
    let profile = properties.get("osProfile").filter(|profile| profile.is_object());
    let profile = profile.ok_or_else(|| missing("osProfile"))?;
    let hostname = text(profile, "/computerName").unwrap_or(vm);
    check_hostname(hostname)?;
    let username = text(profile, "/adminUsername")
        .ok_or_else(|| missing("osProfile.adminUsername"))?;
    check_username(username)?;
    let password =
        text(profile, "/adminPassword").filter(|password| !password.is_empty());
    if let Some(password) = password {
        check_password(password)?;
    }
    let authorized_keys = keys(profile, username)?;
    if password.is_none() && authorized_keys.is_empty() {
        return Err(Problem::parameter(
            "osProfile.linuxConfiguration",
            "Authentication using either SSH or by user name and password must be enabled in \
             Linux profile: give adminPassword or linuxConfiguration.ssh.publicKeys.",
        ));
    }
    Ok(Provision {
        hostname: hostname.to_owned(),
        username: username.to_owned(),
        password_hash: password.map(password::hash),
        authorized_keys,
    })
}

fn keys(profile: &Value, username: &str) -> Result<Vec<String>, Problem> {
    let home = format!("/home/{username}/.ssh/authorized_keys");
    let mut lines = Vec::new();
    for key in items(profile, "/linuxConfiguration/ssh/publicKeys") {
        if text(key, "/path").is_some_and(|path| path != home) {
            return Err(Problem::parameter(
                "linuxConfiguration.ssh.publicKeys.path",
                format!(
                    "Destination path for SSH public keys is currently limited to its default \
                     value {home}."
                ),
            ));
        }
        let data = text(key, "/keyData").unwrap_or_default();
        ssh_key::parse(data).map_err(|error| {
            Problem::parameter(
                "linuxConfiguration.ssh.publicKeys.keyData",
                format!(
                    "The value of parameter keyData is not an SSH public key: {error}."
                ),
            )
        })?;
        lines.extend(
            data.lines()
                .map(str::trim)
                .filter(|line| !line.is_empty())
                .map(str::to_owned),
        );
    }
    Ok(lines)
}

fn check_hostname(hostname: &str) -> Result<(), Problem> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let fits = (1..=64).contains(&hostname.len())
        && hostname.bytes().all(allowed)
        && !hostname.starts_with('-')
        && !hostname.ends_with('-')
        && !hostname.bytes().all(|byte| byte.is_ascii_digit());
    if fits {
        return Ok(());
    }
    Err(Problem::parameter(
        "osProfile.computerName",
        format!(
            "Linux host name '{hostname}' is not valid: 1 to 64 letters, digits and dashes, no \
             dash at either end, and not digits only. Give computerName if the VM's name cannot \
             be a host name."
        ),
    ))
}

fn check_username(username: &str) -> Result<(), Problem> {
    let target = "osProfile.adminUsername";
    if RESERVED.contains(&username.to_ascii_lowercase().as_str()) {
        return Err(Problem::parameter(
            target,
            format!(
                "The Admin Username specified is not allowed: '{username}' is reserved."
            ),
        ));
    }
    UserName::parse(username).map(|_| ()).map_err(|error| {
        Problem::parameter(
            target,
            format!("The Admin Username specified is not allowed: {error}."),
        )
    })
}

fn check_password(password: &str) -> Result<(), Problem> {
    let classes = [
        password.contains(|c: char| c.is_ascii_lowercase()),
        password.contains(|c: char| c.is_ascii_uppercase()),
        password.contains(|c: char| c.is_ascii_digit()),
        password.contains(|c: char| !c.is_alphanumeric() && !c.is_control()),
    ];
    let enough = classes.into_iter().filter(|has| *has).count() >= 3;
    let length = password.chars().count();
    if enough && (6..=72).contains(&length) && !password.contains(char::is_control) {
        return Ok(());
    }
    Err(Problem::parameter(
        "osProfile.adminPassword",
        "The supplied password must be between 6-72 characters long and must satisfy at least 3 \
         of password complexity requirements from the following: 1) contains an uppercase \
         character, 2) contains a lowercase character, 3) contains a numeric digit, 4) contains \
         a special character, 5) control characters are not allowed.",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn profile(user: &str, password: &str) -> Map<String, Value> {
        let value =
            json!({ "osProfile": { "adminUsername": user, "adminPassword": password } });
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_password_leaves_as_a_hash() {
        let made = provision("vm1", &profile("azureuser", "P@ssw0rd1234!")).unwrap();
        assert_eq!(made.hostname, "vm1");
        assert!(made.password_hash.unwrap().starts_with("$6$"));
    }

    #[test]
    fn weak_passwords_and_reserved_names_are_refused() {
        for (vm, user, password) in [
            ("vm1", "root", "P@ssw0rd1234!"),
            ("vm1", "azureuser", "password"),
            ("vm1", "azureuser", ""),
            ("vm_1", "azureuser", "P@ssw0rd1234!"),
            ("vm1", "Bad Name", "P@ssw0rd1234!"),
        ] {
            assert!(
                provision(vm, &profile(user, password)).is_err(),
                "{vm} {user} {password}"
            );
        }
    }

    #[test]
    fn a_path_sent_as_a_key_is_refused() {
        let value = json!({ "osProfile": {
            "adminUsername": "azureuser",
            "linuxConfiguration": { "ssh": { "publicKeys": [{ "keyData": "/root/.ssh/id_rsa.pub" }] } },
        } });
        let error = provision("vm1", value.as_object().unwrap()).unwrap_err();
        assert!(error.to_string().contains("not an SSH public key"), "{error}");
    }
}
