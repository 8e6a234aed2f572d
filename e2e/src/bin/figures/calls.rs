//! What a diagnosis costs where a call of Run Command takes half a minute and returns
//! 4,096 bytes: the lab as if it were Azure, counted from outside.

use std::time::Duration;

use e2e::{AsAzure, Lab, Ran};

/// What Azure takes for one call.
const CALL: Duration = Duration::from_secs(30);

/// What is broken, how, and how it is mended.
const FAULTS: [(&str, &str, &str); 4] = [
    ("nothing", "true", "true"),
    (
        "sshd refuses its configuration",
        "echo 'PermitRootLogn no' >/etc/ssh/sshd_config.d/90-x.conf; systemctl restart ssh; true",
        "rm /etc/ssh/sshd_config.d/90-x.conf; systemctl reset-failed ssh; systemctl restart ssh",
    ),
    (
        "the key is gone",
        "mv /home/azureuser/.ssh /home/azureuser/s",
        "mv /home/azureuser/s /home/azureuser/.ssh",
    ),
    (
        "a packet filter of 2,000 rules",
        "{ echo 'table inet many { chain c { type filter hook input priority 0;'; \
         for i in $(seq 2000); do echo \"ip saddr 10.$((i / 250)).$((i % 250)).1 drop\"; done; \
         echo 'tcp dport 22 drop'; echo '}; }'; } | nft -f -",
        "nft delete table inet many",
    ),
];

/// A line for each fault.
pub(crate) fn calls(lab: &Lab) {
    let vm = lab.vm();
    let azure = AsAzure::of(lab);
    let line = ["diagnose", "-g", "lab", "-n", "vm1", "-i", &vm.key(), "-o", "json"];
    for (fault, harm, mend) in FAULTS {
        vm.sh(harm).ok();
        azure.run_commands();
        let ran = Ran::of(azure.command(lab, &line));
        assert!(matches!(ran.exit, 0 | 1), "{ran:#?}");
        let calls = azure.run_commands();
        vm.sh(mend).ok();
        let seconds = CALL.as_secs() * calls.len() as u64;
        let sent: usize = calls.iter().map(|call| call.sent).sum();
        let returned: usize = calls.iter().map(|call| call.returned).sum();
        println!(
            "{:<44} {:>2} calls, {:>6} bytes there, {:>6} back: {} s at 30 s each",
            format!("as on Azure, {fault}"),
            calls.len(),
            sent,
            returned,
            seconds
        );
    }
}
