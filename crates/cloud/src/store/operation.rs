//! The journal: every promise to a client, written before it is begun.

use std::collections::HashSet;

use arm::{ArmError, ResourceId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::activity::{self, Event, Request};
use super::resource::{self, key_of};
use super::{Error, Resource, Store, decode, encode, now, while_doing};

/// How far an operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// It runs, or will run on when the server comes back.
    InProgress,
    /// It did what was asked.
    Succeeded,
    /// It ended without.
    Failed,
}

impl Status {
    /// ARM's word for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
        }
    }
}

/// A journalled operation.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    /// Its id (a UUID).
    pub(crate) id: String,
    /// What it does, as in `virtualMachines/restart`.
    pub(crate) name: String,
    /// Key of the resource that it works on.
    pub(crate) target: String,
    /// The lock that it holds until it ends.
    pub(crate) serial: Option<String>,
    /// How far it is.
    pub(crate) status: Status,
    /// The body that a synchronous answer would have had.
    pub(crate) result: Value,
    /// Why it failed.
    pub(crate) error: Option<ArmError>,
    /// When it was promised (RFC 3339).
    pub(crate) started_at: String,
    /// When it ended.
    pub(crate) ended_at: Option<String>,
    /// The request that asked for it.
    pub(crate) asked: Option<Request>,
}

impl Store {
    /// Writes a promise, and with it the documents as they stand from now on: either
    /// all are there or none.
    pub(crate) async fn promise<W: Serialize>(
        &self,
        operation: &Operation,
        work: &W,
        documents: &[Resource],
    ) -> Result<(), Error> {
        let doing = while_doing("journal an operation");
        let asked = operation.asked.as_ref();
        let asked = asked.map(|request| encode(request, "request")).transpose()?;
        let mut transaction = self.write().await?;
        sqlx::query(
            "INSERT INTO operation (id, name, target, serial, work, status, started_at, asked)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&operation.id)
        .bind(&operation.name)
        .bind(&operation.target)
        .bind(&operation.serial)
        .bind(self.sealed(work, "operation")?)
        .bind(operation.status.as_str())
        .bind(&operation.started_at)
        .bind(asked)
        .execute(&mut *transaction)
        .await
        .map_err(&doing)?;
        for document in documents {
            resource::write(&mut transaction, document).await?;
        }
        if let Some(request) = &operation.asked {
            activity::write(&mut transaction, &Event::started(request)).await?;
        }
        transaction.commit().await.map_err(&doing)
    }

    /// Writes how an operation ended. What it was asked to do is forgotten.
    pub(crate) async fn conclude(
        &self,
        operation: &Operation,
        outcome: &Result<Value, ArmError>,
    ) -> Result<(), Error> {
        let (status, result, error) = match outcome {
            Ok(body) => {
                (Status::Succeeded, Some(self.sealed(body, "operation's result")?), None)
            }
            Err(error) => {
                (Status::Failed, None, Some(encode(error, "operation's error")?))
            }
        };
        let event = operation.asked.as_ref().map(|request| match outcome {
            Ok(_) => Event::new(request, "Succeeded", "OK"),
            Err(error) => {
                Event::new(request, "Failed", "Conflict").because(&error.code, None)
            }
        });
        let doing = while_doing("conclude an operation");
        let mut transaction = self.write().await?;
        sqlx::query(
            "UPDATE operation
             SET status = ?, result = ?, error = ?, ended_at = ?, work = x''
             WHERE id = ?",
        )
        .bind(status.as_str())
        .bind(result)
        .bind(error)
        .bind(now())
        .bind(&operation.id)
        .execute(&mut *transaction)
        .await
        .map_err(&doing)?;
        if let Some(event) = &event {
            activity::write(&mut transaction, event).await?;
        }
        transaction.commit().await.map_err(&doing)
    }

    /// One operation.
    pub(crate) async fn operation(&self, id: &str) -> Result<Option<Operation>, Error> {
        sqlx::query("SELECT * FROM operation WHERE id = ?")
            .bind(id.to_ascii_lowercase())
            .fetch_optional(&self.pool)
            .await
            .map_err(while_doing("read an operation"))?
            .map(|row| self.read_operation(&row))
            .transpose()
    }

    /// Object id of who asked for an operation.
    pub(crate) async fn operation_asker(
        &self,
        id: &str,
    ) -> Result<Option<String>, Error> {
        let asked: Option<Option<String>> =
            sqlx::query_scalar("SELECT asked ->> '$.caller' FROM operation WHERE id = ?")
                .bind(id.to_ascii_lowercase())
                .fetch_optional(&self.pool)
                .await
                .map_err(while_doing("read an operation"))?;
        Ok(asked.flatten())
    }

    /// The names of what is being done to a resource just now.
    pub(crate) async fn running_on(
        &self,
        target: &ResourceId,
    ) -> Result<Vec<String>, Error> {
        sqlx::query_scalar(
            "SELECT name FROM operation WHERE status = 'InProgress' AND target = ?",
        )
        .bind(key_of(target))
        .fetch_all(&self.pool)
        .await
        .map_err(while_doing("list operations"))
    }

    /// The keys of all resources to which something is being done just now.
    pub(crate) async fn busy(&self) -> Result<HashSet<String>, Error> {
        let all: Vec<String> = sqlx::query_scalar(
            "SELECT target FROM operation WHERE status = 'InProgress'",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(while_doing("list operations"))?;
        Ok(all.into_iter().collect())
    }

    /// Every promise that was not kept yet, the oldest first, with its work.
    pub(crate) async fn unfinished<W: DeserializeOwned>(
        &self,
    ) -> Result<Vec<(Operation, Result<W, Error>)>, Error> {
        let rows = sqlx::query(
            "SELECT * FROM operation WHERE status = 'InProgress' ORDER BY started_at, rowid",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(while_doing("list operations"))?;
        rows.iter()
            .map(|row| {
                let work: Vec<u8> =
                    row.try_get("work").map_err(while_doing("read an operation"))?;
                let work = self.unsealed(&work, "operation");
                Ok((self.read_operation(row)?, work))
            })
            .collect()
    }

    /// Forgets operations that ended before `before` (RFC 3339).
    pub(crate) async fn forget_operations(&self, before: &str) -> Result<(), Error> {
        sqlx::query("DELETE FROM operation WHERE ended_at < ?")
            .bind(before)
            .execute(&self.writer)
            .await
            .map_err(while_doing("forget old operations"))?;
        Ok(())
    }

    fn read_operation(&self, row: &SqliteRow) -> Result<Operation, Error> {
        let column = while_doing("read an operation");
        let status: String = row.try_get("status").map_err(&column)?;
        let asked: Option<String> = row.try_get("asked").map_err(&column)?;
        let result: Option<Vec<u8>> = row.try_get("result").map_err(&column)?;
        let error: Option<String> = row.try_get("error").map_err(&column)?;
        Ok(Operation {
            id: row.try_get("id").map_err(&column)?,
            name: row.try_get("name").map_err(&column)?,
            target: row.try_get("target").map_err(&column)?,
            serial: row.try_get("serial").map_err(&column)?,
            status: match status.as_str() {
                "InProgress" => Status::InProgress,
                "Succeeded" => Status::Succeeded,
                _ => Status::Failed,
            },
            result: result
                .map(|sealed| self.unsealed(&sealed, "operation's result"))
                .transpose()?
                .unwrap_or_default(),
            error: error.map(|text| decode(&text, "operation's error")).transpose()?,
            started_at: row.try_get("started_at").map_err(&column)?,
            ended_at: row.try_get("ended_at").map_err(&column)?,
            asked: asked.map(|text| decode(&text, "request")).transpose()?,
        })
    }
}
