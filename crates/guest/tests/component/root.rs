//! A small guest in a temporary directory: accounts, an SSH configuration, and stand-ins
//! for the programs of OpenSSH, run by a real shell with `chroot`.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use guest::envelope::{self, Cipher, Identity};
use guest::wire::{HandlerSettings, Status, StatusFile, runtime_settings};
use serde_json::{Value, json};

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_regain-guest");
pub(crate) const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1xkAsQnAgUiQzKpnTuWS2LmEBKLUfSH7wdDbhVoLhX me";

/// How every stand-in begins: it notes how it was called, arguments and environment.
pub(crate) const SPY: &str = "{ echo \"$0 $*\"; export -p; } >>/spy\n";

/// Refuses lines that begin with "Broken", and knows who may use a password.
const SSHD: &str = r#"no=no
for file in /etc/ssh/sshd_config.d/*.conf /etc/ssh/sshd_config; do
    [ -f "$file" ] || continue
    while read -r word value; do
        case $word in
        Broken) echo "$file: line 1: Bad configuration option: Broken" >&2; exit 255 ;;
        Match) case ,$3, in *"user=${value#User },"*) no=yes ;; esac ;;
        PasswordAuthentication) [ "$no" = no ] && no=$value ;;
        esac
    done <"$file"
done
[ -s /etc/ssh/ssh_host_ed25519_key ] || { echo "sshd: no hostkeys available -- exiting." >&2; exit 1; }
while read -r line; do case $line in sshd:*) user=1 ;; esac; done </etc/passwd
[ -n "$user" ] || { echo "Privilege separation user sshd does not exist" >&2; exit 255; }
[ "$1" = -t ] || echo "passwordauthentication $no"
exit 0
"#;

/// `ssh-keygen ... -t TYPE ... -f FILE`.
const SSH_KEYGEN: &str = r#"while [ $# -gt 0 ]; do
    case $1 in -t) type=$2 ;; -f) file=$2 ;; -y) exit 1 ;; esac
    shift
done
echo "new $type" >"$file"
echo "new $type.pub" >"$file.pub"
"#;

pub(crate) struct Root {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) tenant: Identity,
}

impl Root {
    /// A guest with the user `ann` and a tenant certificate.
    pub(crate) fn new() -> Root {
        let dir = tempfile::tempdir().expect("tempdir");
        let tenant = Identity::generate("tenant").expect("key");
        let root = Root { dir, tenant };
        root.write(
            "etc/passwd",
            "root:x:0:0::/root:/bin/sh\nsshd:x:101:65534::/run/sshd:/bin/false\n\
             ann:x:1000:1000::/home/ann:/bin/sh\n",
        );
        root.write(
            "etc/shadow",
            "root:*:1::::::\nsshd:*:1::::::\nann:!:19000:0:99999:7:::\n",
        );
        fs::set_permissions(root.path("etc/shadow"), PermissionsExt::from_mode(0o600))
            .expect("chmod");
        root.write("etc/group", "root:x:0:\nnogroup:x:65534:\nann:x:1000:\n");
        root.write("etc/hostname", "vm1\n");
        root.write("etc/sudoers", "root ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n");
        root.write(
            "usr/share/openssh/sshd_config",
            "Include /etc/ssh/sshd_config.d/*.conf\n",
        );
        root.write("etc/ssh/sshd_config", "Port 2222\n");
        root.write("etc/ssh/ssh_host_ed25519_key", "old\n");
        root.write("usr/lib/systemd/system/ssh.service", "[Service]\n");
        fs::create_dir_all(root.path("etc/ssh/sshd_config.d")).expect("mkdir");
        fs::create_dir_all(root.path("home/ann")).expect("mkdir");
        fs::create_dir_all(root.path("run")).expect("mkdir");
        fs::create_dir_all(root.path("srv")).expect("mkdir");
        std::os::unix::fs::chown(root.path("home/ann"), Some(1000), Some(1000))
            .expect("chown");
        for (path, script) in
            [("usr/sbin/sshd", SSHD), ("usr/bin/ssh-keygen", SSH_KEYGEN)]
        {
            root.program(path, &format!("#!/bin/sh\n{SPY}{script}"));
        }
        root.install_shell();
        root.store_tenant();
        root
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("has a parent")).expect("mkdir");
        fs::write(path, text).expect("write");
    }

    pub(crate) fn program(&self, path: &str, text: &str) {
        self.write(path, text);
        let mode = PermissionsExt::from_mode(0o755);
        fs::set_permissions(self.path(path), mode).expect("chmod");
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
    }

    pub(crate) fn exists(&self, path: &str) -> bool {
        self.path(path).symlink_metadata().is_ok()
    }

    /// Everything of the guest that a handler may change: mode, owner, content.
    pub(crate) fn picture(&self) -> Vec<(PathBuf, [u32; 3], Vec<u8>)> {
        let mut todo = vec![self.path("etc"), self.path("home"), self.path("srv")];
        let mut seen = Vec::new();
        while let Some(path) = todo.pop() {
            let meta = path.symlink_metadata().expect("stat");
            let facts = [meta.mode(), meta.uid(), meta.gid()];
            let mut content = Vec::new();
            if meta.is_dir() {
                todo.extend(
                    fs::read_dir(&path).expect("dir").flatten().map(|e| e.path()),
                );
            } else if meta.is_symlink() {
                let target = fs::read_link(&path).expect("link");
                content = target.into_os_string().into_encoded_bytes();
            } else if meta.is_file() && meta.len() < 1 << 20 {
                content = fs::read(&path).expect("read");
            }
            if !path.ends_with(".pwd.lock") {
                seen.push((path, facts, content));
            }
        }
        seen.sort();
        seen
    }

    /// Protected settings as the platform sends them.
    pub(crate) fn encrypt(&self, settings: &Value) -> HandlerSettings {
        use base64::Engine;
        let certificate = self.tenant.certificate_der().expect("der");
        let plain = settings.to_string();
        let message =
            envelope::encrypt(plain.as_bytes(), &certificate, Cipher::Aes128Cbc);
        let encode = |der| base64::engine::general_purpose::STANDARD.encode(der);
        HandlerSettings {
            protected_settings: Some(encode(message.expect("encrypts"))),
            protected_settings_cert_thumbprint: Some(
                self.tenant.thumbprint().expect("der"),
            ),
            public_settings: Some(json!({})),
        }
    }

    /// A handler's directory as Microsoft's agent makes it.
    pub(crate) fn handler(&self) -> PathBuf {
        let dir = self.path("var/lib/waagent/handler");
        for sub in ["config", "status"] {
            fs::create_dir_all(dir.join(sub)).expect("mkdir");
        }
        let environment = json!([{"name": "x", "version": 1.0, "handlerEnvironment": {
            "logFolder": "/var/log/azure/x", "configFolder": dir.join("config"),
            "statusFolder": dir.join("status"), "heartbeatFile": dir.join("heartbeat.log")}}]);
        fs::write(dir.join("HandlerEnvironment.json"), environment.to_string())
            .expect("write");
        dir
    }

    /// Runs VMAccess once with these protected settings.
    pub(crate) fn vmaccess(&self, sequence: u32, settings: &Value) -> (Output, Status) {
        let dir = self.prepare(sequence, settings);
        self.enable(&dir, sequence)
    }

    /// The handler's directory with these protected settings.
    pub(crate) fn prepare(&self, sequence: u32, settings: &Value) -> PathBuf {
        let dir = self.handler();
        let text = runtime_settings(&self.encrypt(settings));
        fs::write(dir.join(format!("config/{sequence}.settings")), text).expect("write");
        dir
    }

    /// Runs VMAccess again on the settings that are there.
    pub(crate) fn enable(&self, dir: &Path, sequence: u32) -> (Output, Status) {
        let output = self.enable_command(dir, sequence).output().expect("starts");
        (output, self.status(dir, sequence))
    }

    /// VMAccess as an agent starts it.
    pub(crate) fn enable_command(&self, dir: &Path, sequence: u32) -> Command {
        let mut command = self.command(&["vmaccess", "enable"]);
        command.current_dir(dir).env("ConfigSequenceNumber", sequence.to_string());
        command
    }

    /// What VMAccess has said.
    pub(crate) fn status(&self, dir: &Path, sequence: u32) -> Status {
        let text =
            fs::read(dir.join(format!("status/{sequence}.status"))).expect("status");
        let file: StatusFile = serde_json::from_slice(&text).expect("status");
        file.0[0].status.clone()
    }

    /// Every file of the guest that has these bytes, the guest's whole disk looked at.
    pub(crate) fn files_with(&self, needle: &str) -> Vec<PathBuf> {
        let grep = Command::new("grep")
            .args(["-rlaF", "--devices=skip", "-e", needle])
            .arg(self.dir.path())
            .output()
            .expect("grep");
        let mut paths: Vec<PathBuf> =
            String::from_utf8_lossy(&grep.stdout).lines().map(PathBuf::from).collect();
        paths.sort();
        paths
    }

    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.args(words).arg("--root").arg(self.dir.path());
        command
    }

    fn store_tenant(&self) {
        let thumbprint = self.tenant.thumbprint().expect("der");
        let stem = format!("var/lib/waagent/{thumbprint}");
        self.write(&format!("{stem}.crt"), &self.tenant.certificate_pem().expect("pem"));
        self.write(&format!("{stem}.prv"), &self.tenant.key_pem().expect("pem"));
    }

    /// The host's shell with the libraries that it is linked to.
    fn install_shell(&self) {
        let ldd = Command::new("ldd").arg("/bin/sh").output().expect("ldd");
        let libraries = String::from_utf8(ldd.stdout).expect("text");
        let paths = libraries.split_whitespace().filter(|word| word.starts_with('/'));
        for path in paths.chain(["/bin/sh"]) {
            let to = self.path(path.trim_start_matches('/'));
            fs::create_dir_all(to.parent().expect("has a parent")).expect("mkdir");
            fs::copy(path, to).expect("copy");
        }
    }
}

pub(crate) fn message(status: &Status) -> &str {
    status.formatted_message.as_ref().map_or("", |message| message.message.as_str())
}
