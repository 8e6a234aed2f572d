//! Weathers as text: `azure,run-command=3,latency=12`.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;
use std::time::Duration;

use super::{Client, GuestAgent, Weather};

/// The address that a client behind a NAT seems to have if the word `nat` names none.
/// It is of a network for documentation (RFC 5737), which no NSG means by accident and
/// yet belongs to the service tag Internet, so that a client believes it.
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 77);

/// What can be said, for who said something else.
const KNOWN: &str = "clear, azure, latency=MS, run-command=SECONDS, output=BYTES, conflict, \
                     throttle, unknown-client, nat[=ADDRESS], agent=lost, agent=absent, \
                     boot=SECONDS, hide; NAME=off takes one back";

/// Longer than that is a slip of the pen.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Why a text is no weather.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeatherError {
    /// No such property.
    #[error("'{word}' is no weather; there is: {KNOWN}")]
    Unknown {
        /// The word.
        word: String,
    },
    /// A property that cannot have this value.
    #[error("'{word}' does not say {expected}; there is: {KNOWN}")]
    Value {
        /// The word.
        word: String,
        /// What its value must be.
        expected: &'static str,
    },
}

impl FromStr for Weather {
    type Err = WeatherError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut weather = Self::CLEAR;
        for word in text.split(',').map(str::trim) {
            weather.add(word)?;
        }
        Ok(weather)
    }
}

impl Weather {
    /// Takes one more word into account.
    fn add(&mut self, word: &str) -> Result<(), WeatherError> {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name.trim_end(), Some(value.trim_start())),
            None => (word, None),
        };
        let wrong = |expected| WeatherError::Value { word: word.to_owned(), expected };
        let (is_off, clear) = (value == Some("off"), Self::CLEAR);
        match (name, value) {
            ("clear", None) => *self = clear,
            ("azure", None) => *self = Self::AZURE,
            ("latency", _) if is_off => self.latency = clear.latency,
            ("latency", value) => {
                let millis = value.and_then(|value| value.parse().ok());
                let latency = millis.map(Duration::from_millis).filter(is_sane);
                self.latency = latency.ok_or_else(|| wrong("how many milliseconds"))?;
            }
            ("run-command", _) if is_off => self.run_command = clear.run_command,
            ("run-command", value) => {
                self.run_command =
                    seconds(value).ok_or_else(|| wrong("how many seconds"))?;
            }
            ("output", _) if is_off => self.output = clear.output,
            ("output", value) => {
                let bytes = value.and_then(|value| value.parse().ok());
                self.output = Some(bytes.ok_or_else(|| wrong("how many bytes"))?);
            }
            ("boot", _) if is_off => self.boot = clear.boot,
            ("boot", value) => {
                self.boot = seconds(value).ok_or_else(|| wrong("how many seconds"))?;
            }
            ("conflict", value) => {
                self.conflict = flag(value).ok_or_else(|| wrong(FLAG))?;
            }
            ("throttle", value) => {
                self.throttle = flag(value).ok_or_else(|| wrong(FLAG))?;
            }
            ("hide", value) => self.hide = flag(value).ok_or_else(|| wrong(FLAG))?,
            ("unknown-client" | "nat", _) if is_off => self.client = clear.client,
            ("unknown-client", None) => self.client = Client::Unknown,
            ("unknown-client", Some(_)) => return Err(wrong(FLAG)),
            ("nat", None) => self.client = Client::Elsewhere(ELSEWHERE),
            ("nat", Some(value)) => {
                let address = value.parse().map_err(|_| wrong("an IPv4 address"))?;
                self.client = Client::Elsewhere(address);
            }
            ("agent", _) if is_off => self.agent = clear.agent,
            ("agent", Some("lost")) => self.agent = GuestAgent::Lost,
            ("agent", Some("absent")) => self.agent = GuestAgent::Absent,
            ("agent", _) => return Err(wrong("lost, absent or off")),
            _ => return Err(WeatherError::Unknown { word: word.to_owned() }),
        }
        Ok(())
    }
}

const FLAG: &str = "by itself that it is on, or off";

/// Whether a flag is on; none if that is not what the value says.
fn flag(value: Option<&str>) -> Option<bool> {
    match value {
        None => Some(true),
        Some("off") => Some(false),
        Some(_) => None,
    }
}

fn seconds(value: Option<&str>) -> Option<Duration> {
    let seconds = value?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok().filter(is_sane)
}

fn is_sane(duration: &Duration) -> bool {
    *duration <= LONGEST
}

/// The words that give this weather again.
impl fmt::Display for Weather {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::AZURE {
            return f.write_str("azure");
        }
        let clear = Self::CLEAR;
        let mut words = Vec::new();
        let mut say = |is_set: bool, word: String| words.extend(is_set.then_some(word));
        say(
            self.latency != clear.latency,
            format!("latency={}", self.latency.as_millis()),
        );
        say(
            self.run_command != clear.run_command,
            format!("run-command={}", self.run_command.as_secs_f64()),
        );
        say(
            self.output != clear.output,
            format!("output={}", self.output.unwrap_or_default()),
        );
        say(!self.conflict, "conflict=off".to_owned());
        say(self.throttle, "throttle".to_owned());
        match self.client {
            Client::Known => {}
            Client::Unknown => say(true, "unknown-client".to_owned()),
            Client::Elsewhere(ELSEWHERE) => say(true, "nat".to_owned()),
            Client::Elsewhere(address) => say(true, format!("nat={address}")),
        }
        match self.agent {
            GuestAgent::There => {}
            GuestAgent::Lost => say(true, "agent=lost".to_owned()),
            GuestAgent::Absent => say(true, "agent=absent".to_owned()),
        }
        say(self.boot != clear.boot, format!("boot={}", self.boot.as_secs_f64()));
        say(self.hide, "hide".to_owned());
        if words.is_empty() {
            return f.write_str("clear");
        }
        f.write_str(&words.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weather(text: &str) -> Weather {
        text.parse().unwrap()
    }

    #[test]
    fn a_word_is_added_to_those_before_it() {
        assert_eq!(weather("clear"), Weather::default());
        let expected = Weather {
            run_command: Duration::from_millis(300),
            output: Some(4096),
            agent: GuestAgent::Lost,
            ..Weather::CLEAR
        };
        assert_eq!(weather("run-command=0.3, output=4096,agent=lost"), expected);
    }

    #[test]
    fn a_later_word_overrides_an_earlier_one() {
        let expected = Weather {
            latency: Duration::from_millis(12),
            run_command: Duration::from_secs(3),
            ..Weather::AZURE
        };
        assert_eq!(weather("azure,run-command=3,latency=12"), expected);
        assert_eq!(weather("run-command=3,azure"), Weather::AZURE);
        assert_eq!(weather("azure,clear"), Weather::CLEAR);
        assert_eq!(
            weather("azure,nat").client,
            Client::Elsewhere("203.0.113.77".parse().unwrap())
        );
        assert_eq!(weather("nat,unknown-client").client, Client::Unknown);
    }

    #[test]
    fn off_takes_a_property_back() {
        let all = "latency=off,run-command=off,output=off,throttle=off,unknown-client=off,\
                   agent=off,boot=off,hide=off";
        assert_eq!(weather(&format!("azure,agent=absent,{all}")), Weather::CLEAR);
        assert!(!weather("conflict=off").conflict);
    }

    #[test]
    fn what_is_no_weather_is_told_what_there_is() {
        for text in [
            "",
            "azure,",
            "rain",
            "Azure",
            "latency",
            "latency=-1",
            "latency=1.5",
            "run-command=NaN",
            "run-command=inf",
            "boot=-0.5",
            "boot=1e9",
            "output=4k",
            "throttle=36",
            "unknown-client=yes",
            "nat=2001:db8::1",
            "agent",
            "agent=sick",
            "azure=on",
        ] {
            let error = text.parse::<Weather>().unwrap_err().to_string();
            assert!(error.contains("agent=lost, agent=absent"), "{text}: {error}");
        }
    }

    #[test]
    fn a_weather_s_words_give_it_again() {
        for text in [
            "clear",
            "azure",
            "latency=120,run-command=0.3,output=1,throttle,unknown-client,hide",
            "conflict=off,nat=198.51.100.7,agent=absent,boot=1.5",
            "nat,agent=lost",
        ] {
            assert_eq!(weather(text).to_string(), text);
        }
        assert_eq!(
            weather(&weather("azure,boot=1").to_string()),
            weather("azure,boot=1")
        );
    }
}
