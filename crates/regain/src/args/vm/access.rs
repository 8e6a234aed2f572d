//! `vm user` and `vm access`: accounts and SSH.

use clap::{Args, Subcommand};

use super::{Power, Target};

/// `vm user`
#[derive(Debug, Subcommand)]
pub(crate) enum User {
    /// Put a stock SSH configuration in place and restart the server.
    ResetSsh(Power),
    /// Make an account, or set its password or key.
    Update(UpdateUser),
    /// Remove an account.
    Delete(DeleteUser),
}

/// `vm user update`
#[derive(Debug, Args)]
pub(crate) struct UpdateUser {
    #[command(flatten)]
    pub(crate) vm: Target,
    /// The account.
    #[arg(short, long)]
    pub(crate) username: String,
    /// Its new password.
    #[arg(short, long)]
    pub(crate) password: Option<String>,
    /// A public key, or a file that holds one; without it and a password, your own
    /// [default: ~/.ssh/id_rsa.pub].
    #[arg(long, value_name = "KEY")]
    pub(crate) ssh_key_value: Option<String>,
    /// When the password ends, which only the classic CLI can say.
    #[arg(skip)]
    pub(crate) expiration: Option<String>,
    /// Do not wait for the end.
    #[arg(long)]
    pub(crate) no_wait: bool,
}

/// `vm user delete`
#[derive(Debug, Args)]
pub(crate) struct DeleteUser {
    #[command(flatten)]
    pub(crate) vm: Target,
    /// The account.
    #[arg(short, long)]
    pub(crate) username: String,
    /// Do not wait for the end.
    #[arg(long)]
    pub(crate) no_wait: bool,
}

/// `vm access`
#[derive(Debug, Subcommand)]
pub(crate) enum Access {
    /// Make an account, or set its password or key.
    SetLinuxUser(UpdateUser),
    /// Remove an account.
    DeleteLinuxUser(DeleteUser),
    /// Put a stock SSH configuration in place and restart the server.
    ResetLinuxSsh(Power),
}
