//! The activity log: what was done, by whom, and how it ended.

use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use super::{Error, Store, decode, encode, now, while_doing};

/// How many events are kept; the oldest go first.
const ROWS: i64 = 100_000;
/// For how long they are kept (Azure's 90 days).
const DAYS: i64 = 90;
/// After how many events the log is cut again.
const CUT_EVERY: i64 = 1_000;

/// Who asked for something, and how: what all events of one request share.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    /// Object id of who asked.
    pub(crate) caller: String,
    /// The application's id.
    pub(crate) app_id: String,
    /// As in `Microsoft.Compute/virtualMachines/write`.
    pub(crate) action: String,
    /// The id as it was written.
    pub(crate) resource: String,
    /// What the client knows the request by.
    pub(crate) correlation: String,
    /// What the request's events have in common.
    pub(crate) operation: String,
    /// As in `PUT`.
    pub(crate) method: String,
    /// The address without its query.
    pub(crate) uri: String,
    /// The address that it came from.
    pub(crate) client: String,
    /// What the client calls it.
    pub(crate) client_request: Option<String>,
    /// When it came (RFC 3339).
    pub(crate) came_at: String,
}

/// One entry of the log.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// Grows with every event.
    pub(crate) sequence: i64,
    /// Its id.
    pub(crate) id: String,
    /// When (RFC 3339).
    pub(crate) time: String,
    /// Started, Accepted, Succeeded or Failed.
    pub(crate) status: String,
    /// HTTP's word, as in `Created`.
    pub(crate) sub_status: String,
    /// What it is about.
    pub(crate) request: Request,
    /// ARM's code and, where it says nothing but who may not, the sentence.
    pub(crate) error: Option<(String, Option<String>)>,
}

/// What is written of an event beside its columns.
#[derive(Serialize, Deserialize)]
struct Rest {
    request: Request,
    error: Option<(String, Option<String>)>,
}

impl Event {
    /// An event of a request, now.
    pub(crate) fn new(request: &Request, status: &str, sub_status: &str) -> Self {
        Self {
            sequence: 0,
            id: Uuid::new_v4().to_string(),
            time: now(),
            status: status.to_owned(),
            sub_status: sub_status.to_owned(),
            request: request.clone(),
            error: None,
        }
    }

    /// That a request came.
    pub(crate) fn started(request: &Request) -> Self {
        Self { time: request.came_at.clone(), ..Self::new(request, "Started", "") }
    }

    /// The same event, with what went wrong.
    pub(crate) fn because(mut self, code: &str, message: Option<String>) -> Self {
        self.error = Some((code.to_owned(), message));
        self
    }

    fn read(row: &SqliteRow) -> Result<Self, Error> {
        let column = while_doing("read the activity log");
        let rest: String = row.try_get("request").map_err(&column)?;
        let Rest { request, error } = decode(&rest, "event")?;
        Ok(Self {
            sequence: row.try_get("sequence").map_err(&column)?,
            id: row.try_get("id").map_err(&column)?,
            time: row.try_get("time").map_err(&column)?,
            status: row.try_get("status").map_err(&column)?,
            sub_status: row.try_get("sub_status").map_err(&column)?,
            request,
            error,
        })
    }
}

impl Store {
    /// Writes events, all or none.
    pub(crate) async fn record(&self, events: &[Event]) -> Result<(), Error> {
        let doing = while_doing("write the activity log");
        let mut transaction = self.write().await?;
        for event in events {
            write(&mut transaction, event).await?;
        }
        transaction.commit().await.map_err(&doing)
    }

    /// Events before the one of number `before`, the newest first, between two
    /// times; all of one correlation if it is given.
    pub(crate) async fn events(
        &self,
        before: i64,
        (from, to): (&str, &str),
        correlation: Option<&str>,
        most: i64,
    ) -> Result<Vec<Event>, Error> {
        let rows = sqlx::query(
            "SELECT * FROM activity
             WHERE sequence < ?1 AND time >= ?2 AND time <= ?3
                 AND (?4 IS NULL OR correlation = ?4)
             ORDER BY sequence DESC LIMIT ?5",
        )
        .bind(before)
        .bind(from)
        .bind(to)
        .bind(correlation)
        .bind(most)
        .fetch_all(&self.pool)
        .await
        .map_err(while_doing("read the activity log"))?;
        rows.iter().map(Event::read).collect()
    }
}

/// Writes one event as part of a transaction; now and then cuts the log.
pub(super) async fn write(
    transaction: &mut sqlx::Transaction<'static, sqlx::Sqlite>,
    event: &Event,
) -> Result<(), Error> {
    let doing = while_doing("write the activity log");
    let rest = Rest { request: event.request.clone(), error: event.error.clone() };
    let sequence = sqlx::query(
        "INSERT INTO activity
             (id, time, status, sub_status, action, resource, correlation, operation,
              caller, request)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&event.id)
    .bind(&event.time)
    .bind(&event.status)
    .bind(&event.sub_status)
    .bind(&event.request.action)
    .bind(&event.request.resource)
    .bind(&event.request.correlation)
    .bind(&event.request.operation)
    .bind(&event.request.caller)
    .bind(encode(&rest, "event")?)
    .execute(&mut **transaction)
    .await
    .map_err(&doing)?
    .last_insert_rowid();
    if sequence % CUT_EVERY == 0 {
        let oldest = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24 * DAYS);
        sqlx::query("DELETE FROM activity WHERE sequence <= ? OR time < ?")
            .bind(sequence - ROWS)
            .bind(oldest.to_string())
            .execute(&mut **transaction)
            .await
            .map_err(&doing)?;
    }
    Ok(())
}
