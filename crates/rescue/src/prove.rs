//! The proof of a repair: a real login, tried again while the VM may still be on its
//! way up.
//!
//! A repair can give the server new host keys. The operator's known hosts then hold
//! the old ones, and ssh is right to refuse. The guest itself says, by another
//! way than this login, which keys it has, so the proof is made against exactly those,
//! and the operator is told which line of known_hosts to drop.

use std::time::Duration;

use doctor::case::{Case, LoginStage};
use tokio::time::{Instant, sleep};

use crate::collect::{Standing, collect_way_in, host_public_keys, standing_now};
use crate::request::Request;
use crate::ssh::{HostKeys, Settings};

/// How long a reloading sshd may refuse connections.
const RELOAD: Duration = Duration::from_secs(2);

/// How long a VM that was started may stand still on its way to its first login: on a
/// platform that is quick, and on one where a boot takes minutes.
const BOOT: Duration = Duration::from_secs(30);
const SLOW_BOOT: Duration = Duration::from_secs(150);

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(250);

/// Between two tries to reach a VM that boots slowly, and between two questions to its
/// platform, which counts them.
const SLOW_PAUSE: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_secs(15);

/// What the last login of a proof showed.
#[derive(Debug)]
pub(crate) struct Proof {
    /// The way in, without the guest's and the cloud's sections.
    pub(crate) case: Case,
    /// What the operator should know besides.
    pub(crate) notice: Option<String>,
}

/// How patient a proof is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// A change that sshd reads at once.
    Edit,
    /// The VM was started, restarted or moved.
    Boot,
}

/// Logs in until it works or the time is over; a VM on its way up is waited for as long
/// as its state moves. None if there is no address to try.
pub(crate) async fn prove(request: &Request, after: After) -> Option<Proof> {
    let slow = request.guest().is_ok_and(|guest| guest.is_slow());
    let (patience, pause) = match after {
        After::Edit => (RELOAD, PAUSE),
        After::Boot if slow => (SLOW_BOOT, SLOW_PAUSE),
        After::Boot => (BOOT, PAUSE),
    };
    let mut until = Instant::now() + patience;
    let mut door: Option<(Standing, Instant)> = None;
    loop {
        let old = door.as_ref().is_none_or(|(_, asked)| {
            after == After::Boot && asked.elapsed() >= if slow { LOOK } else { pause }
        });
        if old {
            // A VM that was deallocated may come back under another address.
            let now = standing(request).await;
            if door.as_ref().is_some_and(|(was, _)| *was != now) {
                until = Instant::now() + patience;
            }
            door = Some((now, Instant::now()));
        }
        let reached = door.as_ref().and_then(|(standing, _)| standing.reached.clone());
        if let Some((host, port)) = reached {
            let request =
                &Request { port: port.unwrap_or(request.port), ..request.clone() };
            let case = collect_way_in(request, &host, &HostKeys::Known).await;
            let stage = case.login.collected().map(|login| login.stage);
            let proof = match stage {
                Some(LoginStage::HostKey) => pinned(request, &host, case).await,
                _ => Proof { case, notice: None },
            };
            if !may_pass(&proof.case, after) || Instant::now() >= until {
                return Some(proof);
            }
        } else if Instant::now() >= until {
            return None;
        }
        sleep(pause).await;
    }
}

/// Where the way in begins.
async fn standing(request: &Request) -> Standing {
    match &request.host {
        Some(host) => {
            Standing { reached: Some((host.clone(), None)), state: String::new() }
        }
        None => standing_now(request).await,
    }
}

/// Whether a failure is one that time alone may cure.
fn may_pass(case: &Case, after: After) -> bool {
    let stage = case.login.collected().map(|login| login.stage);
    match after {
        // A booting guest refuses, drops, and then lets nobody in for a while
        // (pam_nologin): everything short of a login may pass.
        After::Boot => stage != Some(LoginStage::LoggedIn),
        // A name that does not resolve is not sshd's.
        After::Edit => {
            let named = case.tcp.collected().is_some();
            let early = stage.is_none_or(|stage| stage <= LoginStage::Banner);
            named && early && !timed_out(case)
        }
    }
}

/// A reload refuses for a moment; it never swallows packets.
fn timed_out(case: &Case) -> bool {
    use doctor::case::TcpOutcome;
    case.tcp.collected().is_some_and(|tcp| tcp.outcome == TcpOutcome::TimedOut)
}

/// The same login against the keys that the guest says it has.
async fn pinned(request: &Request, host: &str, refused: Case) -> Proof {
    let keys = match host_public_keys(request).await {
        Ok(keys) if !keys.is_empty() => keys,
        _ => return Proof { case: refused, notice: None },
    };
    let case = collect_way_in(request, host, &HostKeys::Pinned(keys)).await;
    let works = case.login.collected().is_some_and(|l| l.stage == LoginStage::LoggedIn);
    if !works {
        return Proof { case: refused, notice: None };
    }
    let known_as = Settings::of(request, host).await.known_as();
    let notice = format!("ssh-keygen -R '{known_as}'");
    Proof { case, notice: Some(notice) }
}

#[cfg(test)]
mod tests {
    use doctor::case::{Login, Section, Target, Tcp, TcpOutcome};

    use super::*;

    fn case(tcp: TcpOutcome, stage: Option<LoginStage>) -> Case {
        let target = Target {
            user: String::new(),
            host: String::new(),
            port: 22,
            resource_id: None,
            identity: None,
        };
        let mut case = Case::new(target, String::new());
        case.tcp = Section::Collected(Tcp {
            address: String::new(),
            port: 22,
            outcome: tcp,
            millis: 0,
            local_address: None,
            error: None,
        });
        if let Some(stage) = stage {
            case.login = Section::Collected(Login {
                stage,
                exit: Some(255),
                stderr: Vec::new(),
                stdout: Vec::new(),
                methods: Vec::new(),
                offered: Vec::new(),
                key_accepted: false,
                host_key: None,
                millis: 0,
            });
        }
        case
    }

    #[test]
    fn a_reload_is_waited_for_and_a_refused_key_is_not() {
        let refused = case(TcpOutcome::Refused, None);
        let denied = case(TcpOutcome::Connected, Some(LoginStage::Authentication));
        let dropped = case(TcpOutcome::TimedOut, None);
        assert!(may_pass(&refused, After::Edit));
        assert!(!may_pass(&denied, After::Edit));
        assert!(!may_pass(&dropped, After::Edit));
    }

    #[test]
    fn a_booting_guest_is_waited_for_until_it_lets_somebody_in() {
        for stage in [None, Some(LoginStage::Authentication), Some(LoginStage::Banner)] {
            assert!(may_pass(&case(TcpOutcome::Connected, stage), After::Boot));
        }
        let works = case(TcpOutcome::Connected, Some(LoginStage::LoggedIn));
        assert!(!may_pass(&works, After::Boot));
    }
}
