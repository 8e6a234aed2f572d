//! What the guest itself says: one script through Run Command fills all of its sections.

use doctor::case::{Case, Platform, PowerState, Section};

use crate::channel::{ChannelError, with_variables};
use crate::collect::{Watcher, asked, ended};
use crate::platform::silent;
use crate::report::{self, Asked, Report};
use crate::request::Request;
use crate::why;

/// An address of RFC 5737: sshd's `Match address` needs some address, and where the
/// client's own is not known no rule should match by accident. What such a rule speaks
/// of is then not known, and the case says so.
const SOMEBODY: &str = "192.0.2.1";

/// What the guest answered, before it is read.
#[derive(Debug)]
pub(crate) struct Answers(Section<Said>);

/// A whole report.
#[derive(Debug)]
struct Said {
    stdout: String,
    mark: String,
    asked: Asked,
}

impl Answers {
    /// Nobody asked, and why.
    pub(crate) fn none(why: &str) -> Self {
        Self(Section::NotTried(why.to_owned()))
    }

    /// Puts them into the sections that the guest answers.
    pub(crate) fn fill(self, case: &mut Case) {
        match self.0 {
            Section::Collected(said) => {
                let report = Report::divide(&said.stdout, &said.mark);
                report::fill(case, &report, &said.asked);
            }
            Section::Failed(why) => report::leave(case, true, &why),
            Section::NotTried(why) => report::leave(case, false, &why),
        }
    }
}

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
                Ok(said) => Section::Collected(said),
                Err(ChannelError::Unavailable(why)) => Section::NotTried(why.to_owned()),
                Err(error) => Section::Failed(why::chain(&error)),
            }
        }
        Err(why) => Section::NotTried(why),
    };
    Answers(ended(watch, "guest", section))
}

/// Why nobody in the guest could answer, if that is plain beforehand.
fn answerable(platform: &Section<Platform>) -> Result<(), String> {
    let Some(platform) = platform.collected() else {
        return Err(platform.why_not().unwrap_or_default().to_owned());
    };
    match &platform.power {
        Some(PowerState::Running) | None => {}
        Some(PowerState::Stopped | PowerState::Deallocated) => {
            return Err("the VM is stopped".to_owned());
        }
        Some(power) => return Err(format!("the VM is {}", power.as_str())),
    }
    silent(platform).map_or(Ok(()), |why| Err(why.to_owned()))
}

async fn ask(request: &Request) -> Result<Said, ChannelError> {
    let mark = format!("@{}", uuid::Uuid::new_v4().simple());
    let client = request.client_address().map(|address| address.to_string());
    let address = client.as_deref().unwrap_or(SOMEBODY);
    let variables = [
        ("MARK", mark.as_str()),
        ("LOGIN", &request.user),
        ("HOST", address),
        ("ADDRESS", address),
        ("PORT", &request.port.to_string()),
    ];
    let script = with_variables(&variables, &report::script());
    let guest = request.guest()?;
    let ran = guest.run(&script).await?;
    if !Report::divide(&ran.stdout, &mark).tells_something() {
        let why = match ran.exit {
            124 | 137 => "the guest hangs: it did not finish in time".to_owned(),
            exit => format!("it broke off with status {exit}: {}", ran.stderr.trim()),
        };
        return Err(ChannelError::Garbled(why));
    }
    let asked =
        Asked { user: request.user.clone(), address: client, channel: guest.channel() };
    Ok(Said { stdout: ran.stdout, mark, asked })
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
            power: power.map(PowerState::from),
            provisioning: None,
            location: None,
            os: Some("Linux".to_owned()),
            agent: Agent { status: None, absent: false, version: None },
        })
    }

    #[test]
    fn an_agent_that_cannot_answer_is_not_waited_for() {
        let asked = |change: fn(&mut Platform)| {
            let Section::Collected(mut platform) = platform(Some("running")) else {
                unreachable!()
            };
            change(&mut platform);
            answerable(&Section::Collected(platform))
                .map_err(|why| why.contains("agent is") || why.contains("guest agent"))
        };
        assert_eq!(asked(|vm| vm.agent.status = Some("Ready".to_owned())), Ok(()));
        assert_eq!(asked(|vm| vm.agent.status = Some("Not Ready".to_owned())), Err(true));
        assert_eq!(asked(|vm| vm.agent.absent = true), Err(true));
        assert_eq!(asked(|vm| vm.os = Some("Windows".to_owned())), Err(false));
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
