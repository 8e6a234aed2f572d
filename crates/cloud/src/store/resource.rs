//! Resources: one JSON document each, found by id, by type, by scope.

use std::collections::BTreeSet;

use arm::ResourceId;
use serde_json::Value;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, Sqlite, Transaction};
use uuid::Uuid;

use super::{Error, Store, decode, encode, link, now, while_doing};

/// A stored resource.
#[derive(Clone, Debug)]
pub(crate) struct Resource {
    /// The id as it was first written.
    pub(crate) id: ResourceId,
    /// The resource as ARM shows it, without its etag.
    pub(crate) document: Value,
    /// When it was first written (RFC 3339).
    pub(crate) created_at: String,
    /// When it was last written.
    pub(crate) changed_at: String,
    /// Changes with every write; empty until the first.
    pub(crate) etag: String,
}

/// The key under which `id` is stored: ids differ in case only by accident.
pub(crate) fn key_of(id: &ResourceId) -> String {
    id.as_str().to_ascii_lowercase()
}

impl Resource {
    /// A resource that is not stored yet.
    pub(crate) fn new(id: ResourceId, document: Value) -> Self {
        let created_at = now();
        let changed_at = created_at.clone();
        Self { id, document, created_at, changed_at, etag: String::new() }
    }

    fn read(row: &SqliteRow) -> Result<Self, Error> {
        let column = while_doing("read a resource");
        let id: String = row.try_get("id").map_err(&column)?;
        let document: String = row.try_get("document").map_err(&column)?;
        let unreadable = |error: arm::InvalidResourceId| Error::Decode {
            what: "resource id",
            source: serde::ser::Error::custom(error),
        };
        Ok(Self {
            id: ResourceId::parse(&id).map_err(unreadable)?,
            document: decode(&document, "resource")?,
            created_at: row.try_get("created_at").map_err(&column)?,
            changed_at: row.try_get("changed_at").map_err(&column)?,
            etag: row.try_get("etag").map_err(&column)?,
        })
    }
}

impl Store {
    /// The resource of this id.
    pub(crate) async fn get(&self, id: &ResourceId) -> Result<Option<Resource>, Error> {
        sqlx::query("SELECT * FROM resource WHERE key = ?")
            .bind(key_of(id))
            .fetch_optional(&self.pool)
            .await
            .map_err(while_doing("read a resource"))?
            .map(|row| Resource::read(&row))
            .transpose()
    }

    /// The resources of a type (in lower case) below `scope`, in order of key.
    pub(crate) async fn list(
        &self,
        scope: &ResourceId,
        kind: &str,
    ) -> Result<Vec<Resource>, Error> {
        self.select(scope, Some(kind), "", None).await
    }

    /// One page of the resources of a type (in lower case) below `scope`: at most
    /// `most`, whose keys come after `after`.
    pub(crate) async fn page(
        &self,
        scope: &ResourceId,
        kind: &str,
        after: &str,
        most: usize,
    ) -> Result<Vec<Resource>, Error> {
        self.select(scope, Some(kind), after, Some(most)).await
    }

    /// Everything below `scope`, in order of key.
    pub(crate) async fn list_all(
        &self,
        scope: &ResourceId,
    ) -> Result<Vec<Resource>, Error> {
        self.select(scope, None, "", None).await
    }

    /// One page of everything below `scope`: at most `most`, whose keys come after
    /// `after`.
    pub(crate) async fn page_of_all(
        &self,
        scope: &ResourceId,
        after: &str,
        most: usize,
    ) -> Result<Vec<Resource>, Error> {
        self.select(scope, None, after, Some(most)).await
    }

    async fn select(
        &self,
        scope: &ResourceId,
        kind: Option<&str>,
        after: &str,
        most: Option<usize>,
    ) -> Result<Vec<Resource>, Error> {
        // No key is as short as the range's beginning.
        let (from, to) = below(scope);
        let from = from.max(after.to_owned());
        let query = match kind {
            Some(kind) => sqlx::query(
                "SELECT * FROM resource WHERE type = ? AND key > ? AND key < ?
                 ORDER BY key LIMIT ?",
            )
            .bind(kind),
            None => sqlx::query(
                "SELECT * FROM resource WHERE key > ? AND key < ? ORDER BY key LIMIT ?",
            ),
        };
        // A limit below zero is none.
        let most = most.map_or(-1, |most| i64::try_from(most).unwrap_or(i64::MAX));
        let rows = query
            .bind(from)
            .bind(to)
            .bind(most)
            .fetch_all(&self.pool)
            .await
            .map_err(while_doing("list resources"))?;
        rows.iter().map(Resource::read).collect()
    }

    /// Those of the resources with these keys that are there, in order of key.
    pub(crate) async fn get_all(
        &self,
        keys: &BTreeSet<String>,
    ) -> Result<Vec<Resource>, Error> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let rows = sqlx::query(
            "SELECT * FROM resource WHERE key IN (SELECT value FROM json_each(?))
             ORDER BY key",
        )
        .bind(encode(keys, "list of keys")?)
        .fetch_all(&self.pool)
        .await
        .map_err(while_doing("read resources"))?;
        rows.iter().map(Resource::read).collect()
    }

    /// Writes a resource; its id keeps the spelling of its first write.
    pub(crate) async fn put(&self, resource: &Resource) -> Result<(), Error> {
        let doing = while_doing("write a resource");
        let mut transaction = self.write().await?;
        write(&mut transaction, resource).await?;
        transaction.commit().await.map_err(doing)
    }

    /// Removes a resource and what hangs on its row.
    pub(crate) async fn remove(&self, id: &ResourceId) -> Result<(), Error> {
        sqlx::query("DELETE FROM resource WHERE key = ?")
            .bind(key_of(id))
            .execute(&self.writer)
            .await
            .map_err(while_doing("delete a resource"))?;
        Ok(())
    }
}

/// The write itself, with the references in the document.
pub(super) async fn write(
    transaction: &mut Transaction<'_, Sqlite>,
    resource: &Resource,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO resource (key, id, type, document, etag, created_at, changed_at)
         VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (key) DO UPDATE SET
             document = excluded.document,
             etag = excluded.etag,
             changed_at = excluded.changed_at",
    )
    .bind(key_of(&resource.id))
    .bind(resource.id.as_str())
    .bind(resource.id.resource_type().to_ascii_lowercase())
    .bind(encode(&resource.document, "resource")?)
    .bind(Uuid::new_v4().to_string())
    .bind(&resource.created_at)
    .bind(now())
    .execute(&mut **transaction)
    .await
    .map_err(while_doing("write a resource"))?;
    link::write(transaction, &resource.id, &resource.document).await
}

/// The range of keys below `scope`: from `scope/` up to the character after
/// the slash. No pattern, because names may hold `_` and `%`.
fn below(scope: &ResourceId) -> (String, String) {
    let key = key_of(scope);
    (format!("{key}/"), format!("{key}0"))
}
