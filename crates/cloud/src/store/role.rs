//! What principals may do: roles of one's own, and who was given which role where.

use serde_json::Value;
use sqlx::Row;

use super::{Error, Store, decode, encode, now, while_doing};

/// A role of one's own.
#[derive(Clone, Debug)]
pub(crate) struct Definition {
    /// Its GUID.
    pub(crate) id: String,
    /// Its properties as they were given.
    pub(crate) document: Value,
    /// When it was first written (RFC 3339).
    pub(crate) created_at: String,
    /// Object id of who wrote it first.
    pub(crate) created_by: String,
    /// When it was last written.
    pub(crate) changed_at: String,
    /// Object id of who wrote it last.
    pub(crate) changed_by: String,
}

/// A role that a principal has at a scope.
#[derive(Clone, Debug)]
pub(crate) struct Assignment {
    /// Its GUID.
    pub(crate) name: String,
    /// The id of the subscription, group or resource.
    pub(crate) scope: String,
    /// GUID of the role's definition.
    pub(crate) role: String,
    /// Object id of who has it.
    pub(crate) principal: String,
    /// What it is for.
    pub(crate) description: Option<String>,
    /// When it was given (RFC 3339).
    pub(crate) created_at: String,
    /// Object id of who gave it.
    pub(crate) created_by: String,
}

impl Assignment {
    /// An assignment that is not stored yet.
    pub(crate) fn new(name: &str, scope: &str, role: &str, principal: &str) -> Self {
        Self {
            name: name.to_owned(),
            scope: scope.to_owned(),
            role: role.to_owned(),
            principal: principal.to_owned(),
            description: None,
            created_at: now(),
            created_by: String::new(),
        }
    }

    fn key(&self) -> String {
        format!("{}|{}", self.scope, self.name).to_ascii_lowercase()
    }
}

impl Store {
    /// Every role of one's own.
    pub(crate) async fn definitions(&self) -> Result<Vec<Definition>, Error> {
        let column = while_doing("list roles");
        let rows = sqlx::query("SELECT * FROM role_definition ORDER BY rowid")
            .fetch_all(&self.pool)
            .await
            .map_err(&column)?;
        rows.iter()
            .map(|row| {
                let document: String = row.try_get("document").map_err(&column)?;
                Ok(Definition {
                    id: row.try_get("id").map_err(&column)?,
                    document: decode(&document, "role")?,
                    created_at: row.try_get("created_at").map_err(&column)?,
                    created_by: row.try_get("created_by").map_err(&column)?,
                    changed_at: row.try_get("changed_at").map_err(&column)?,
                    changed_by: row.try_get("changed_by").map_err(&column)?,
                })
            })
            .collect()
    }

    /// Writes a role; who made it first stays on record.
    pub(crate) async fn put_definition(
        &self,
        id: &str,
        document: &Value,
        by: &str,
    ) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO role_definition
                 (id, document, created_at, created_by, changed_at, changed_by)
             VALUES (?1, ?2, ?3, ?4, ?3, ?4)
             ON CONFLICT (id) DO UPDATE SET
                 document = excluded.document,
                 changed_at = excluded.changed_at,
                 changed_by = excluded.changed_by",
        )
        .bind(id)
        .bind(encode(document, "role")?)
        .bind(now())
        .bind(by)
        .execute(&self.writer)
        .await
        .map_err(while_doing("write a role"))?;
        Ok(())
    }

    /// Removes a role.
    pub(crate) async fn remove_definition(&self, id: &str) -> Result<(), Error> {
        sqlx::query("DELETE FROM role_definition WHERE id = ?")
            .bind(id)
            .execute(&self.writer)
            .await
            .map_err(while_doing("delete a role"))?;
        Ok(())
    }

    /// Every assignment, in the order in which they were made.
    pub(crate) async fn assignments(&self) -> Result<Vec<Assignment>, Error> {
        let column = while_doing("list role assignments");
        let rows = sqlx::query("SELECT * FROM role_assignment ORDER BY rowid")
            .fetch_all(&self.pool)
            .await
            .map_err(&column)?;
        rows.iter()
            .map(|row| {
                Ok(Assignment {
                    name: row.try_get("name").map_err(&column)?,
                    scope: row.try_get("scope").map_err(&column)?,
                    role: row.try_get("role").map_err(&column)?,
                    principal: row.try_get("principal").map_err(&column)?,
                    description: row.try_get("description").map_err(&column)?,
                    created_at: row.try_get("created_at").map_err(&column)?,
                    created_by: row.try_get("created_by").map_err(&column)?,
                })
            })
            .collect()
    }

    /// Writes an assignment.
    pub(crate) async fn put_assignment(&self, one: &Assignment) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO role_assignment
                 (key, name, scope, role, principal, description, created_at, created_by)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (key) DO UPDATE SET description = excluded.description",
        )
        .bind(one.key())
        .bind(&one.name)
        .bind(&one.scope)
        .bind(&one.role)
        .bind(&one.principal)
        .bind(&one.description)
        .bind(&one.created_at)
        .bind(&one.created_by)
        .execute(&self.writer)
        .await
        .map_err(while_doing("write a role assignment"))?;
        Ok(())
    }

    /// Removes an assignment.
    pub(crate) async fn remove_assignment(&self, one: &Assignment) -> Result<(), Error> {
        sqlx::query("DELETE FROM role_assignment WHERE key = ?")
            .bind(one.key())
            .execute(&self.writer)
            .await
            .map_err(while_doing("delete a role assignment"))?;
        Ok(())
    }
}
