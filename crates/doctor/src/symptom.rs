//! How a login fails, as the client sees it.
//!
//! A symptom is the place on the way in where this login ended. It is the
//! strongest evidence there is: a fault that cannot produce it is not the root
//! cause, and a fault that would have ended the login earlier is not there at
//! all. The login itself is believed before the probe, because it is later and
//! goes further; the probe's TCP and greeting tell *how* an early stage ended,
//! where ssh's text would have to be guessed from. Where both saw the same end, two
//! witnesses agree; what neither tells is not made up.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::case::{
    Case, Greeting, GreetingOutcome, Login, LoginStage, Name, Resolution, Section, Tcp,
    TcpOutcome,
};

/// The stages of the way in, in their order.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// The host's name.
    Name,
    /// The TCP connection.
    Tcp,
    /// The server's first line.
    Banner,
    /// The key exchange.
    Kex,
    /// The server's host key.
    HostKey,
    /// Authentication and the account.
    Auth,
    /// The session.
    Session,
}

macro_rules! symptoms {
    ($($(#[$doc:meta])* $name:ident = $text:literal at $stage:ident;)*) => {
        /// How the login ended: `stage.kind`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Symptom {
            $($(#[$doc])* #[serde(rename = $text)] $name,)*
        }

        /// Every symptom, in the order of the way in.
        pub const SYMPTOMS: &[Symptom] = &[$(Symptom::$name),*];

        impl Symptom {
            /// The stage at which the login ended.
            pub const fn stage(self) -> Stage {
                match self { $(Self::$name => Stage::$stage),* }
            }

            /// Its name in a fault's file.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }
        }
    };
}

symptoms! {
    /// The name does not exist or has no address.
    NameNxDomain = "name.nxdomain" at Name;
    /// No resolver answered.
    NameUnanswered = "name.unanswered" at Name;
    /// Nothing came back.
    TcpTimeout = "tcp.timeout" at Tcp;
    /// RST, or ICMP port unreachable.
    TcpRefused = "tcp.refused" at Tcp;
    /// Host or network unreachable, or administratively prohibited.
    TcpUnreachable = "tcp.unreachable" at Tcp;
    /// The client's own system forbade it.
    TcpDenied = "tcp.denied" at Tcp;
    /// Connected, and no byte came.
    BannerSilent = "banner.silent" at Banner;
    /// Connected, and closed before the banner.
    BannerClosed = "banner.closed" at Banner;
    /// Connected, and reset before the banner.
    BannerReset = "banner.reset" at Banner;
    /// Something answers that is not SSH.
    BannerNotSsh = "banner.not-ssh" at Banner;
    /// The key exchange did not come to an end.
    KexFailed = "kex.failed" at Kex;
    /// The host key is not the one that the client knows.
    HostKeyChanged = "hostkey.changed" at HostKey;
    /// `Permission denied`.
    AuthDenied = "auth.denied" at Auth;
    /// The server closed the connection during authentication.
    AuthClosed = "auth.closed" at Auth;
    /// The session ended with a status of its own.
    SessionExit = "session.exit" at Session;
    /// The connection broke after authentication.
    SessionClosed = "session.closed" at Session;
    /// The session never answered.
    SessionHang = "session.hang" at Session;
}

impl fmt::Display for Symptom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that names no symptom.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no symptom")]
pub struct UnknownSymptom(String);

impl FromStr for Symptom {
    type Err = UnknownSymptom;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        SYMPTOMS
            .iter()
            .copied()
            .find(|symptom| symptom.as_str() == word)
            .ok_or_else(|| UnknownSymptom(word.to_owned()))
    }
}

/// How a login ended, and who says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Observation {
    /// How it ended.
    pub(crate) symptom: Symptom,
    /// Whether everybody who saw this stage tells the same of it, the login itself
    /// among them.
    pub(crate) agreed: bool,
}

/// How this login ended; nothing if it works, if nobody tried, or if nobody tells.
pub(crate) fn observed(case: &Case) -> Option<Symptom> {
    observe(case).map(|observation| observation.symptom)
}

/// [`observed`], and whether the witnesses agree.
pub(crate) fn observe(case: &Case) -> Option<Observation> {
    let name = case.name.collected().and_then(of_name);
    let tcp = case.tcp.collected().and_then(of_tcp);
    let greeting = case.greeting.collected().and_then(of_greeting);
    let Some(login) = case.login.collected() else {
        let symptom = name.or(tcp).or(greeting)?;
        // Where the name or TCP ended the way in there was nothing left to log in to:
        // the probe is the whole attempt. A login that failed to be made is another thing.
        let whole = matches!(case.login, Section::NotTried(_));
        return Some(Observation {
            symptom,
            agreed: whole && symptom.stage() <= Stage::Tcp,
        });
    };
    let only = |symptom| Some(Observation { symptom, agreed: true });
    match login.stage {
        LoginStage::LoggedIn => None,
        LoginStage::Name => both(name, name_from_text(login)),
        LoginStage::Connect => {
            let text = connect_from_text(login);
            let both = both(tcp, text)?;
            // ssh's attempt is the later one.
            Some(Observation { symptom: text.unwrap_or(both.symptom), ..both })
        }
        LoginStage::Banner => {
            let ends_there = |symptom: &Symptom| symptom.stage() == Stage::Banner;
            let probe = greeting.filter(ends_there).or(tcp.filter(ends_there));
            both(probe, banner_from_text(login))
        }
        LoginStage::KeyExchange => only(Symptom::KexFailed),
        LoginStage::HostKey => only(Symptom::HostKeyChanged),
        LoginStage::Authentication if says(login, "Permission denied") => {
            only(Symptom::AuthDenied)
        }
        LoginStage::Authentication => only(Symptom::AuthClosed),
        LoginStage::Session => only(match login.exit {
            Some(255) => Symptom::SessionClosed,
            Some(_) => Symptom::SessionExit,
            None => Symptom::SessionHang,
        }),
    }
}

/// What the probe saw and what ssh's words say of a stage at which ssh ended.
fn both(probe: Option<Symptom>, text: Option<Symptom>) -> Option<Observation> {
    let symptom = probe.or(text)?;
    Some(Observation {
        symptom,
        agreed: probe.is_some() && text.is_none_or(|its| its == symptom),
    })
}

/// Whether the login works.
pub(crate) fn reachable(case: &Case) -> bool {
    case.login.collected().is_some_and(|login| login.stage == LoginStage::LoggedIn)
}

fn of_name(name: &Name) -> Option<Symptom> {
    match name.resolution {
        Resolution::Literal { .. } | Resolution::Resolved { .. } => None,
        Resolution::NxDomain { .. } | Resolution::NoAddress { .. } => {
            Some(Symptom::NameNxDomain)
        }
        Resolution::Unanswered { .. } => Some(Symptom::NameUnanswered),
    }
}

fn of_tcp(tcp: &Tcp) -> Option<Symptom> {
    match tcp.outcome {
        TcpOutcome::Connected => None,
        TcpOutcome::TimedOut => Some(Symptom::TcpTimeout),
        TcpOutcome::Refused => Some(Symptom::TcpRefused),
        TcpOutcome::HostUnreachable | TcpOutcome::NetworkUnreachable => {
            Some(Symptom::TcpUnreachable)
        }
        TcpOutcome::LocallyDenied => Some(Symptom::TcpDenied),
        TcpOutcome::Reset => Some(Symptom::BannerReset),
    }
}

fn of_greeting(greeting: &Greeting) -> Option<Symptom> {
    match greeting.outcome {
        GreetingOutcome::Ok => None,
        GreetingOutcome::Silent => Some(Symptom::BannerSilent),
        GreetingOutcome::Closed => Some(Symptom::BannerClosed),
        GreetingOutcome::Reset => Some(Symptom::BannerReset),
        GreetingOutcome::NotSsh => Some(Symptom::BannerNotSsh),
        GreetingOutcome::NoKexinit => Some(Symptom::KexFailed),
    }
}

fn says(login: &Login, text: &str) -> bool {
    login.stderr.iter().any(|line| line.contains(text))
}

fn name_from_text(login: &Login) -> Option<Symptom> {
    let known = [
        ("Temporary failure", Symptom::NameUnanswered),
        ("not known", Symptom::NameNxDomain),
        ("No address associated", Symptom::NameNxDomain),
        ("Name does not resolve", Symptom::NameNxDomain),
    ];
    from_text(login, &known)
}

fn connect_from_text(login: &Login) -> Option<Symptom> {
    let known = [
        ("timed out", Symptom::TcpTimeout),
        ("Connection refused", Symptom::TcpRefused),
        ("No route to host", Symptom::TcpUnreachable),
        ("unreachable", Symptom::TcpUnreachable),
        ("Permission denied", Symptom::TcpDenied),
        ("Invalid argument", Symptom::TcpDenied),
    ];
    from_text(login, &known)
}

fn banner_from_text(login: &Login) -> Option<Symptom> {
    let known = [
        ("timed out", Symptom::BannerSilent),
        ("reset by peer", Symptom::BannerReset),
        ("invalid", Symptom::BannerNotSsh),
        ("not match", Symptom::BannerNotSsh),
        ("Protocol major versions differ", Symptom::BannerNotSsh),
        ("closed", Symptom::BannerClosed),
    ];
    from_text(login, &known)
}

/// The first of some texts that ssh says.
fn from_text(login: &Login, known: &[(&str, Symptom)]) -> Option<Symptom> {
    known.iter().find(|(text, _)| says(login, text)).map(|(_, symptom)| *symptom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symptom_is_read_back_from_its_name() {
        for &symptom in SYMPTOMS {
            assert_eq!(symptom.as_str().parse(), Ok(symptom));
        }
    }

    #[test]
    fn symptoms_are_listed_along_the_way_in() {
        assert!(SYMPTOMS.is_sorted_by_key(|symptom| symptom.stage()));
    }
}
