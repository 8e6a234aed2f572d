//! What every command is given beside its own arguments.

use doctor::Lang;

use crate::args::Global;
use crate::failure::Failure;
use crate::output::Printer;
use crate::session::{self, Session};

/// The flags of every command, and the printer made from them.
#[derive(Debug)]
pub(crate) struct Context {
    /// The flags.
    pub(crate) global: Global,
    /// Where to print.
    pub(crate) printer: Printer,
}

impl Context {
    /// The operator's language.
    pub(crate) fn lang(&self) -> Lang {
        self.printer.lang()
    }

    /// Signs in to the cloud that the flags and the environment name.
    pub(crate) async fn sign_in(&self) -> Result<Session, Failure> {
        session::sign_in(&self.global).await
    }

    /// Asks before something that cannot be taken back, unless told not to.
    pub(crate) fn confirm(&self, question: &str, yes: bool) -> Result<(), Failure> {
        if yes {
            return Ok(());
        }
        match self.printer.ask(question) {
            Some(true) => Ok(()),
            Some(false) => Err(Failure::new("Operation cancelled.")),
            None => {
                self.printer.note(
                    "WARNING: Unable to prompt for confirmation as no tty available. Use --yes.",
                );
                Err(Failure::new("Operation cancelled."))
            }
        }
    }
}
