//! The system's ssh, which is what the operator will use again: its settings for a
//! host, a login, and what its words mean.

mod local;
mod login;
mod settings;
mod transcript;

pub(crate) use local::{program, run};
pub(crate) use login::{HostKeys, login};
pub(crate) use settings::Settings;
