//! Why a command did not do what it was asked for, and what to do next.
//!
//! Exit statuses are az's: 1 an error, 2 wrong usage, 3 not found.

use std::error::Error;

/// A command's failure.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// ARM's refusal, or no way to ARM.
    #[error(transparent)]
    Arm(#[from] arm::Error),
    /// ARM's refusal of what was typed, met while the command line was checked: az
    /// counts that as wrong usage.
    #[error(transparent)]
    Checked(arm::Error),
    /// Anything else.
    #[error(transparent)]
    Other(Box<Trouble>),
}

/// A failure of this program's own, with its next step.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub(crate) struct Trouble {
    what: String,
    next: Option<String>,
    exit: u8,
    #[source]
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    /// A plain failure.
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self::with_exit(what, 1)
    }

    /// The command line makes no sense.
    pub(crate) fn usage(what: impl Into<String>) -> Self {
        Self::with_exit(what, 2)
    }

    /// What was named does not exist.
    pub(crate) fn not_found(what: impl Into<String>) -> Self {
        Self::with_exit(what, 3)
    }

    /// The operator stopped it; the exit status is a shell's for SIGINT.
    pub(crate) fn interrupted() -> Self {
        Self::with_exit("interrupted", 130)
    }

    fn with_exit(what: impl Into<String>, exit: u8) -> Self {
        Self::Other(Box::new(Trouble {
            what: what.into(),
            next: None,
            exit,
            source: None,
        }))
    }

    /// The same failure, with its cause.
    pub(crate) fn because(
        mut self,
        cause: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        if let Self::Other(trouble) = &mut self {
            trouble.source = Some(cause.into());
        }
        self
    }

    /// The same failure with another exit status.
    pub(crate) fn exiting(mut self, exit: u8) -> Self {
        if let Self::Other(trouble) = &mut self {
            trouble.exit = exit;
        }
        self
    }

    /// The same failure, with what to do about it.
    pub(crate) fn next(mut self, step: impl Into<String>) -> Self {
        if let Self::Other(trouble) = &mut self {
            trouble.next = Some(step.into());
        }
        self
    }

    /// Whether it says that what was to be deleted is gone, or its group is. A
    /// subscription that is not there was mistyped: nothing of it is deleted.
    pub(crate) fn is_gone(&self) -> bool {
        self.arm().is_some_and(|error| {
            let mistyped =
                error.arm().is_some_and(|why| why.code == "SubscriptionNotFound");
            error.is_not_found() && !mistyped
        })
    }

    /// ARM's part in it.
    pub(crate) fn arm(&self) -> Option<&arm::Error> {
        match self {
            Self::Arm(error) | Self::Checked(error) => Some(error),
            Self::Other(_) => None,
        }
    }

    /// The exit status.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Checked(error) if error.arm().is_some() => 2,
            Self::Checked(_) => 1,
            Self::Arm(error) if error.is_not_found() => 3,
            Self::Arm(_) => 1,
            Self::Other(trouble) => trouble.exit,
        }
    }

    /// What to do about it, if that is known.
    pub(crate) fn next_step(&self) -> Option<String> {
        match self {
            Self::Other(trouble) => trouble.next.clone(),
            Self::Arm(error) | Self::Checked(error) if error.is_connect() => Some(
                if is_here(error) {
                    "check that the cloud runs: `regain lab status`; start it with `regain lab up`"
                } else {
                    "check this host's own way there: name server, proxy (HTTPS_PROXY), firewall"
                }
                .to_owned(),
            ),
            Self::Arm(error) | Self::Checked(error) if error.status() == Some(401) => Some(
                "sign in again: `az login`, or new credentials in REGAIN_CLIENT_SECRET".to_owned(),
            ),
            Self::Arm(_) | Self::Checked(_) => None,
        }
    }

    /// The failure and its causes in one line.
    pub(crate) fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            let said = error.to_string();
            // An error that repeats its source would be said twice.
            if !text.ends_with(&said) {
                text.push_str(": ");
                text.push_str(&said);
            }
            cause = error.source();
        }
        text
    }
}

/// Whether it is a cloud on this host that did not answer.
fn is_here(error: &arm::Error) -> bool {
    match error {
        arm::Error::Transport { request, .. } => {
            ["//127.", "//[::1]", "//localhost"].iter().any(|host| request.contains(host))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_follow_in_one_line() {
        let failure =
            Failure::new("cannot read the key").because(std::io::Error::other("denied"));
        assert_eq!(failure.chain(), "cannot read the key: denied");
    }

    #[test]
    fn exit_statuses_are_azs() {
        assert_eq!(Failure::new("x").exit_code(), 1);
        assert_eq!(Failure::usage("x").exit_code(), 2);
        assert_eq!(Failure::not_found("x").exit_code(), 3);
        let missing =
            arm::Error::Api { status: 404, error: arm::ArmError::new("X", "m") };
        assert_eq!(Failure::from(missing).exit_code(), 3);
    }
}
