//! Who may ask: principals, the applications that they act for, and secrets.
//!
//! A secret is kept as a keyed hash: it has 256 bits of its own, so that nothing
//! slower is needed, and the key is not in the database.

use aws_lc_rs::hmac;
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use super::{Error, Store, now, while_doing};

/// What a principal acts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    /// An application, which signs in with a secret.
    Application,
    /// A machine or this host: the platform vouches for it.
    ManagedIdentity,
}

/// Somebody who can ask.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Principal {
    /// The object id: what roles are assigned to.
    pub(crate) id: String,
    /// The application's id: what signs in.
    pub(crate) app_id: String,
    /// The display name.
    pub(crate) name: String,
    /// What it acts for.
    pub(crate) kind: Kind,
    /// Key of the virtual machine whose identity it is.
    pub(crate) machine: Option<String>,
    /// When it was made (RFC 3339).
    pub(crate) created_at: String,
}

/// The registration of an application.
#[derive(Clone, Debug)]
pub(crate) struct Application {
    /// The object id, which is not its principal's.
    pub(crate) id: String,
    /// The application's id.
    pub(crate) app_id: String,
    /// The display name.
    pub(crate) name: String,
    /// When it was made (RFC 3339).
    pub(crate) created_at: String,
}

/// What is known of a secret without knowing it.
#[derive(Clone, Debug)]
pub(crate) struct Secret {
    /// Its id.
    pub(crate) id: String,
    /// What it was called.
    pub(crate) name: Option<String>,
    /// Its first three characters.
    pub(crate) hint: String,
    /// From when it is good (RFC 3339).
    pub(crate) start_at: String,
    /// Until when.
    pub(crate) end_at: String,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Application => "Application",
            Self::ManagedIdentity => "ManagedIdentity",
        }
    }
}

impl Principal {
    /// A principal that is not stored yet.
    pub(crate) fn new(app_id: String, name: String, kind: Kind) -> Self {
        let id = Uuid::new_v4().to_string();
        Self { id, app_id, name, kind, machine: None, created_at: now() }
    }

    fn read(row: &SqliteRow) -> Result<Self, Error> {
        let column = while_doing("read a principal");
        let kind: String = row.try_get("kind").map_err(&column)?;
        Ok(Self {
            id: row.try_get("id").map_err(&column)?,
            app_id: row.try_get("app_id").map_err(&column)?,
            name: row.try_get("name").map_err(&column)?,
            kind: match kind.as_str() {
                "ManagedIdentity" => Kind::ManagedIdentity,
                _ => Kind::Application,
            },
            machine: row.try_get("machine").map_err(&column)?,
            created_at: row.try_get("created_at").map_err(&column)?,
        })
    }
}

impl Store {
    /// Everybody, in the order in which they came.
    pub(crate) async fn principals(&self) -> Result<Vec<Principal>, Error> {
        let rows = sqlx::query("SELECT * FROM principal ORDER BY rowid")
            .fetch_all(&self.pool)
            .await
            .map_err(while_doing("list principals"))?;
        rows.iter().map(Principal::read).collect()
    }

    /// Writes a principal; one that is there keeps all but its name.
    pub(crate) async fn put_principal(&self, principal: &Principal) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO principal (id, app_id, name, kind, machine, created_at)
             VALUES (?, ?, ?, ?, ?, ?)
             ON CONFLICT (id) DO UPDATE SET name = excluded.name",
        )
        .bind(&principal.id)
        .bind(&principal.app_id)
        .bind(&principal.name)
        .bind(principal.kind.as_str())
        .bind(&principal.machine)
        .bind(&principal.created_at)
        .execute(&self.writer)
        .await
        .map_err(while_doing("write a principal"))?;
        Ok(())
    }

    /// Removes a principal.
    pub(crate) async fn remove_principal(&self, id: &str) -> Result<(), Error> {
        sqlx::query("DELETE FROM principal WHERE id = ?")
            .bind(id)
            .execute(&self.writer)
            .await
            .map_err(while_doing("delete a principal"))?;
        Ok(())
    }

    /// Every registration, in the order in which they came.
    pub(crate) async fn applications(&self) -> Result<Vec<Application>, Error> {
        let column = while_doing("list applications");
        let rows = sqlx::query("SELECT * FROM application ORDER BY rowid")
            .fetch_all(&self.pool)
            .await
            .map_err(&column)?;
        rows.iter()
            .map(|row| {
                Ok(Application {
                    id: row.try_get("id").map_err(&column)?,
                    app_id: row.try_get("app_id").map_err(&column)?,
                    name: row.try_get("name").map_err(&column)?,
                    created_at: row.try_get("created_at").map_err(&column)?,
                })
            })
            .collect()
    }

    /// Writes a registration; one that is there keeps all but its name.
    pub(crate) async fn put_application(&self, app: &Application) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO application (id, app_id, name, created_at) VALUES (?, ?, ?, ?)
             ON CONFLICT (id) DO UPDATE SET name = excluded.name",
        )
        .bind(&app.id)
        .bind(&app.app_id)
        .bind(&app.name)
        .bind(&app.created_at)
        .execute(&self.writer)
        .await
        .map_err(while_doing("write an application"))?;
        Ok(())
    }

    /// Removes a registration with its secrets.
    pub(crate) async fn remove_application(&self, app_id: &str) -> Result<(), Error> {
        let doing = while_doing("delete an application");
        let mut transaction = self.write().await?;
        for statement in [
            "DELETE FROM application WHERE app_id = ?",
            "DELETE FROM secret WHERE app_id = ?",
        ] {
            sqlx::query(statement)
                .bind(app_id)
                .execute(&mut *transaction)
                .await
                .map_err(&doing)?;
        }
        transaction.commit().await.map_err(&doing)
    }

    /// Writes a new secret of an application.
    pub(crate) async fn put_secret(
        &self,
        app_id: &str,
        secret: &Secret,
        clear: &str,
    ) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO secret (id, app_id, name, hint, hash, start_at, end_at)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&secret.id)
        .bind(app_id)
        .bind(&secret.name)
        .bind(&secret.hint)
        .bind(self.hash(app_id, clear))
        .bind(&secret.start_at)
        .bind(&secret.end_at)
        .execute(&self.writer)
        .await
        .map_err(while_doing("write a secret"))?;
        Ok(())
    }

    /// Removes a secret; `false` if the application has none of this id.
    pub(crate) async fn remove_secret(
        &self,
        app_id: &str,
        id: &str,
    ) -> Result<bool, Error> {
        let removed = sqlx::query("DELETE FROM secret WHERE app_id = ? AND id = ?")
            .bind(app_id)
            .bind(id)
            .execute(&self.writer)
            .await
            .map_err(while_doing("delete a secret"))?;
        Ok(removed.rows_affected() > 0)
    }

    /// What is known of an application's secrets.
    pub(crate) async fn secrets(&self, app_id: &str) -> Result<Vec<Secret>, Error> {
        let column = while_doing("list secrets");
        let rows = sqlx::query("SELECT * FROM secret WHERE app_id = ? ORDER BY rowid")
            .bind(app_id)
            .fetch_all(&self.pool)
            .await
            .map_err(&column)?;
        rows.iter()
            .map(|row| {
                Ok(Secret {
                    id: row.try_get("id").map_err(&column)?,
                    name: row.try_get("name").map_err(&column)?,
                    hint: row.try_get("hint").map_err(&column)?,
                    start_at: row.try_get("start_at").map_err(&column)?,
                    end_at: row.try_get("end_at").map_err(&column)?,
                })
            })
            .collect()
    }

    /// The end (RFC 3339) of the application's secret that `clear` is, if it is one.
    pub(crate) async fn secret_end(
        &self,
        app_id: &str,
        clear: &str,
    ) -> Result<Option<String>, Error> {
        // The database compares hashes under a key that nobody outside has: how
        // long that takes tells nothing about the secret.
        sqlx::query_scalar("SELECT end_at FROM secret WHERE app_id = ? AND hash = ?")
            .bind(app_id)
            .bind(self.hash(app_id, clear))
            .fetch_optional(&self.pool)
            .await
            .map_err(while_doing("check a secret"))
    }

    fn hash(&self, app_id: &str, clear: &str) -> Vec<u8> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.seal.derive("client secret"));
        let mut context = hmac::Context::with_key(&key);
        context.update(app_id.as_bytes());
        context.update(b"\0");
        context.update(clear.as_bytes());
        context.sign().as_ref().to_vec()
    }
}
