//! What survives the server: SQLite, and nobody else knows SQL.
//!
//! Resources are JSON documents keyed by their id in lower case; operations are
//! journalled before they begin; what a guest is told lies beside its machine.
//! Each function is one transaction, so that `kill -9` at any moment leaves a
//! state from which the journal can be driven on. Whatever may hold a secret is
//! [sealed](Seal) before it is written.

mod activity;
mod guest;
mod health;
mod link;
mod operation;
mod principal;
mod resource;
mod role;
mod seal;

use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::SqliteSynchronous;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
};

pub(crate) use activity::{Event, Request};
pub(crate) use guest::{Guest, Settings, Tenant};
pub(crate) use link::Link;
pub(crate) use operation::{Operation, Status};
pub(crate) use principal::{Application, Kind, Principal, Secret};
pub(crate) use resource::{Resource, key_of};
pub(crate) use role::{Assignment, Definition};
pub(crate) use seal::{OpenError, Seal};

/// What makes the schema, in order. A migration that was released never changes.
const MIGRATIONS: [(&str, &str); 4] = [
    ("initial", include_str!("../../migrations/0001_initial.sql")),
    ("access", include_str!("../../migrations/0002_access.sql")),
    ("health", include_str!("../../migrations/0003_health.sql")),
    ("link", include_str!("../../migrations/0004_link.sql")),
];

/// The database of one state directory.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    /// Readers: they see what was committed, and wait for nobody.
    pool: SqlitePool,
    /// The one writer. SQLite has one at a time, and those who wait for each other
    /// here are served in turn; there they would sleep and try again.
    writer: SqlitePool,
    seal: Seal,
}

/// Why the store could not do its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// SQLite refused, or its file could not be read or written.
    #[error("the database could not {doing}")]
    Database {
        /// What was being done.
        doing: &'static str,
        /// SQLite's answer.
        #[source]
        source: sqlx::Error,
    },
    /// The schema could not be brought up to date.
    #[error("the database's schema could not be brought up to date")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    /// A stored value is not what this version writes.
    #[error("a stored {what} cannot be read")]
    Decode {
        /// Which value.
        what: &'static str,
        /// Where it stops making sense.
        #[source]
        source: serde_json::Error,
    },
    /// A sealed value does not open with this state's key.
    #[error("a stored {what} cannot be opened")]
    Open {
        /// Which value.
        what: &'static str,
        /// Why not.
        #[source]
        source: OpenError,
    },
}

/// Turns SQLite's refusal into an error that says what was being done.
fn while_doing(doing: &'static str) -> impl Fn(sqlx::Error) -> Error {
    move |source| Error::Database { doing, source }
}

impl Store {
    /// Opens the database at `path`, made and migrated as needed.
    pub(crate) async fn open(path: &Path, seal: Seal) -> Result<Self, Error> {
        // NORMAL with a write-ahead log loses nothing when the process is
        // killed; only a power cut could take the last transactions.
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10));
        let opened = |connections| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .connect_with(options.clone())
        };
        let writer = opened(1).await.map_err(while_doing("be opened"))?;
        let pool = opened(4).await.map_err(while_doing("be opened"))?;
        let migrations = (1..).zip(MIGRATIONS).map(|(version, (name, sql))| {
            let kind = MigrationType::Simple;
            Migration::new(version, name.into(), kind, sql.into_sql_str(), false)
        });
        Migrator::with_migrations(migrations.collect())
            .run(&writer)
            .await
            .map_err(Error::Migrate)?;
        let store = Self { pool, writer, seal };
        store.link_all().await?;
        Ok(store)
    }

    /// Closes the database, its log merged into its file.
    pub(crate) async fn close(&self) {
        self.pool.close().await;
        self.writer.close().await;
    }

    /// Begins a transaction that will write. `IMMEDIATE` takes the write lock
    /// at once: a reader that becomes a writer would fail instead of waiting.
    async fn write(&self) -> Result<sqlx::Transaction<'static, sqlx::Sqlite>, Error> {
        self.writer
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(while_doing("begin a transaction"))
    }

    fn sealed<T: Serialize>(
        &self,
        value: &T,
        what: &'static str,
    ) -> Result<Vec<u8>, Error> {
        let clear = encode(value, what)?;
        Ok(self.seal.close(clear.as_bytes()))
    }

    fn unsealed<T: DeserializeOwned>(
        &self,
        sealed: &[u8],
        what: &'static str,
    ) -> Result<T, Error> {
        let clear =
            self.seal.open(sealed).map_err(|source| Error::Open { what, source })?;
        serde_json::from_slice(&clear).map_err(|source| Error::Decode { what, source })
    }
}

fn encode<T: Serialize>(value: &T, what: &'static str) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|source| Error::Decode { what, source })
}

fn decode<T: DeserializeOwned>(text: &str, what: &'static str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|source| Error::Decode { what, source })
}

/// The present time as it is stored and shown.
pub(crate) fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}
