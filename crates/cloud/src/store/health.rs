//! How machines were, and from when on.

use std::collections::HashMap;

use arm::ResourceId;

use super::resource::key_of;
use super::{Error, Store, now, while_doing};

/// How many changes are kept for each machine.
const KEPT: i64 = 50;

/// A machine's state from a moment on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Since {
    /// From when on (RFC 3339).
    pub(crate) since: String,
    /// What it is.
    pub(crate) cause: String,
}

impl Store {
    /// Notes how a machine (its key) is from now on, if that is new.
    pub(crate) async fn note_health(&self, vm: &str, cause: &str) -> Result<(), Error> {
        let doing = while_doing("note a machine's health");
        let noted = sqlx::query(
            "INSERT INTO health (vm, since, cause)
             SELECT key, ?, ? FROM resource WHERE key = ?
                AND ? IS NOT (SELECT cause FROM health WHERE vm = key ORDER BY since DESC LIMIT 1)
             ON CONFLICT (vm, since) DO UPDATE SET cause = excluded.cause",
        )
        .bind(now())
        .bind(cause)
        .bind(vm)
        .bind(cause)
        .execute(&self.writer)
        .await
        .map_err(&doing)?
        .rows_affected();
        if noted == 0 {
            return Ok(());
        }
        sqlx::query(
            "DELETE FROM health WHERE vm = ? AND since NOT IN
                 (SELECT since FROM health WHERE vm = ? ORDER BY since DESC LIMIT ?)",
        )
        .bind(vm)
        .bind(vm)
        .bind(KEPT)
        .execute(&self.writer)
        .await
        .map_err(&doing)?;
        Ok(())
    }

    /// How a machine was, the newest first.
    pub(crate) async fn health(&self, vm: &ResourceId) -> Result<Vec<Since>, Error> {
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT since, cause FROM health WHERE vm = ? ORDER BY since DESC",
        )
        .bind(key_of(vm))
        .fetch_all(&self.pool)
        .await
        .map_err(while_doing("read a machine's health"))?;
        Ok(rows.into_iter().map(|(since, cause)| Since { since, cause }).collect())
    }

    /// How every machine is, by key.
    pub(crate) async fn all_health(&self) -> Result<HashMap<String, String>, Error> {
        // SQLite takes the bare column from the row that has the maximum.
        let rows: Vec<(String, String, String)> =
            sqlx::query_as("SELECT vm, cause, MAX(since) FROM health GROUP BY vm")
                .fetch_all(&self.pool)
                .await
                .map_err(while_doing("read the machines' health"))?;
        Ok(rows.into_iter().map(|(vm, cause, _since)| (vm, cause)).collect())
    }
}
