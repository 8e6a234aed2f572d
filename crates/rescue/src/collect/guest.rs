//! What the guest itself says: one script through Run Command fills four sections.

use doctor::case::{Account, Firewall, Guest, Platform, Section, Sshd};

use crate::channel::{ChannelError, with_variables};
use crate::collect::{Watcher, asked, ended};
use crate::report::{Report, Sections, sections};
use crate::request::Request;
use crate::why;

const COLLECT: &str = include_str!("../guest/collect.sh");

/// Packet filter, SSH server, account, guest.
pub(crate) type Answers =
    (Section<Firewall>, Section<Sshd>, Section<Account>, Section<Guest>);

/// Asks the guest, if there is one that can answer.
pub(crate) async fn guest(
    request: &Request,
    platform: &Section<Platform>,
    watch: Watcher<'_>,
) -> Answers {
    // Who asks through SSH needs no platform.
    let by_ssh = request.guest().is_ok_and(|guest| guest.needs_sshd());
    let section = match if by_ssh { Ok(()) } else { answerable(platform) } {
        Ok(()) => {
            asked(watch, "guest");
            match ask(request).await {
                Ok(sections) => Section::Collected(sections),
                Err(ChannelError::Unavailable(why)) => Section::NotTried(why.to_owned()),
                Err(error) => Section::Failed(why::chain(&error)),
            }
        }
        Err(why) => Section::NotTried(why),
    };
    match ended(watch, "guest", section) {
        Section::Collected(all) => (
            Section::Collected(all.firewall),
            Section::Collected(all.sshd),
            Section::Collected(all.account),
            Section::Collected(all.guest),
        ),
        Section::Failed(why) => (
            Section::Failed(why.clone()),
            Section::Failed(why.clone()),
            Section::Failed(why.clone()),
            Section::Failed(why),
        ),
        Section::NotTried(why) => (
            Section::NotTried(why.clone()),
            Section::NotTried(why.clone()),
            Section::NotTried(why.clone()),
            Section::NotTried(why),
        ),
    }
}

/// Why nobody in the guest could answer, if that is plain beforehand.
fn answerable(platform: &Section<Platform>) -> Result<(), String> {
    let Some(platform) = platform.collected() else {
        return Err(platform.why_not().unwrap_or_default().to_owned());
    };
    match platform.power.as_deref() {
        Some("running") | None => Ok(()),
        Some("stopped" | "deallocated") => Err("the VM is stopped".to_owned()),
        Some(power) => Err(format!("the VM is {power}")),
    }
}

async fn ask(request: &Request) -> Result<Sections, ChannelError> {
    let mark = format!("@{}", uuid::Uuid::new_v4().simple());
    // Empty where nobody knows it: no address stands in for it.
    let address = request.client_address().map(|ip| ip.to_string()).unwrap_or_default();
    let variables = [
        ("MARK", mark.as_str()),
        ("LOGIN", &request.user),
        ("HOST", &address),
        ("ADDRESS", &address),
    ];
    let script = with_variables(&variables, COLLECT);
    let guest = request.guest()?;
    let ran = guest.run(&script).await?;
    let report = Report::divide(&ran.stdout, &mark);
    if !report.is_whole() {
        let why = match ran.exit {
            124 | 137 => "the guest hangs: it did not finish in time".to_owned(),
            exit => format!("it broke off with status {exit}: {}", ran.stderr.trim()),
        };
        return Err(ChannelError::Garbled(why));
    }
    Ok(sections(&report, &request.user, guest.channel()))
}

/// The guest's public host keys (`type base64`), asked of the guest itself.
pub(crate) async fn host_public_keys(
    request: &Request,
) -> Result<Vec<String>, ChannelError> {
    let ran = request.guest()?.run("cat /etc/ssh/ssh_host_*_key.pub").await?;
    let keys = ran.stdout.lines().filter_map(|line| {
        let mut words = line.split_ascii_whitespace();
        Some(format!("{} {}", words.next()?, words.next()?))
    });
    Ok(keys.collect())
}

#[cfg(test)]
mod tests {
    use doctor::case::Agent;

    use super::*;

    fn platform(power: Option<&str>) -> Section<Platform> {
        Section::Collected(Platform {
            vm: "vm1".to_owned(),
            resource_group: "lab".to_owned(),
            power: power.map(str::to_owned),
            provisioning: None,
            agent: Agent { status: None, version: None },
        })
    }

    #[test]
    fn a_stopped_vm_is_not_asked() {
        assert_eq!(answerable(&platform(Some("running"))), Ok(()));
        assert_eq!(answerable(&platform(None)), Ok(()));
        let stopped = Err("the VM is stopped".to_owned());
        assert_eq!(answerable(&platform(Some("deallocated"))), stopped);
        assert_eq!(answerable(&platform(Some("stopped"))), stopped);
        assert!(answerable(&Section::NotTried("no cloud".to_owned())).is_err());
    }
}
