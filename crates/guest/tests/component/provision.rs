//! The first boot, on a guest in a temporary directory.

use serde_json::json;

use crate::root::{KEY, Root};

#[test]
fn provisioning_happens_once() {
    let root = Root::new();
    std::fs::remove_file(root.path("etc/ssh/ssh_host_ed25519_key")).expect("remove");
    let document = json!({"hostname": "web-1", "username": "azureuser",
        "password_hash": "$6$s$h", "authorized_keys": [KEY]});
    root.write("var/lib/regain/provision.json", &document.to_string());
    let provision = || root.command(&["provision"]).output().expect("starts");
    let output = provision();
    assert!(output.status.success(), "{output:?}");
    assert!(!root.exists("var/lib/regain/provision.json"));
    assert_eq!(root.read("etc/hostname"), "web-1\n");
    assert!(root.read("etc/shadow").contains("\nazureuser:$6$s$h:"));
    assert_eq!(root.read("home/azureuser/.ssh/authorized_keys"), format!("{KEY}\n"));
    assert!(root.read("etc/sudoers.d/90-regain-azureuser").contains("NOPASSWD"));
    assert_eq!(root.read("etc/ssh/ssh_host_ed25519_key"), "new ed25519\n");
    // A later boot finds no document and makes no host keys.
    std::fs::remove_file(root.path("etc/ssh/ssh_host_ed25519_key")).expect("remove");
    assert!(provision().status.success());
    assert!(!root.exists("etc/ssh/ssh_host_ed25519_key"));
}
