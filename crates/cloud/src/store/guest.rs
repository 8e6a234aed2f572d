//! What the platform knows of a guest: its machine, the goal it is given and
//! what its agent last said.

use arm::ResourceId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::resource::key_of;
use super::{Error, Store, decode, encode, while_doing};

/// The private side of a virtual machine.
#[derive(Clone, Debug)]
pub(crate) struct Guest {
    /// The engine's id of the machine.
    pub(crate) machine: String,
    /// Stopped and given back, as opposed to merely stopped.
    pub(crate) deallocated: bool,
    /// The number of the goal state; a change tells the agent to look.
    pub(crate) incarnation: u64,
    /// The certificate to which protected settings are encrypted.
    pub(crate) tenant: Tenant,
    /// The agent's last status, as it sent it.
    pub(crate) report: Option<Value>,
}

/// A machine's tenant certificate and its key.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Tenant {
    /// The certificate (PEM).
    pub(crate) certificate: String,
    /// Its private key (PKCS#8 PEM).
    pub(crate) key: String,
}

impl std::fmt::Debug for Tenant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tenant(…)")
    }
}

/// The newest settings of one handler on one machine.
#[derive(Clone, Debug)]
pub(crate) struct Plugin {
    /// `publisher.type`.
    pub(crate) handler: String,
    /// The handler's version that was asked for.
    pub(crate) version: String,
    /// Grows by one with every change of settings.
    pub(crate) sequence: u32,
    /// Whether the goal state names it.
    pub(crate) enabled: bool,
    /// What it is told.
    pub(crate) settings: Settings,
}

/// Settings as the goal state carries them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Settings {
    /// Public settings.
    pub(crate) public: Option<Value>,
    /// Protected settings: base64 of CMS EnvelopedData to the tenant certificate.
    pub(crate) protected: Option<String>,
}

impl Store {
    /// Makes the private side of a machine, or replaces it.
    pub(crate) async fn put_guest(
        &self,
        vm: &ResourceId,
        guest: &Guest,
    ) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO guest (vm, machine, deallocated, incarnation, tenant)
             VALUES (?, ?, ?, ?, ?)
             ON CONFLICT (vm) DO UPDATE SET
                 machine = excluded.machine,
                 deallocated = excluded.deallocated,
                 incarnation = excluded.incarnation,
                 tenant = excluded.tenant,
                 report = NULL",
        )
        .bind(key_of(vm))
        .bind(&guest.machine)
        .bind(guest.deallocated)
        .bind(integer(guest.incarnation))
        .bind(self.sealed(&guest.tenant, "tenant certificate")?)
        .execute(&self.writer)
        .await
        .map_err(while_doing("write a guest"))?;
        Ok(())
    }

    /// The private side of a machine.
    pub(crate) async fn guest(&self, vm: &ResourceId) -> Result<Option<Guest>, Error> {
        sqlx::query("SELECT * FROM guest WHERE vm = ?")
            .bind(key_of(vm))
            .fetch_optional(&self.pool)
            .await
            .map_err(while_doing("read a guest"))?
            .map(|row| self.read_guest(&row))
            .transpose()
    }

    /// Every machine: its id, the engine's id for it, and whether it is deallocated.
    pub(crate) async fn machines(&self) -> Result<Vec<(String, String, bool)>, Error> {
        sqlx::query_as(
            "SELECT id, machine, deallocated FROM guest JOIN resource ON key = vm",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(while_doing("list guests"))
    }

    /// Notes that a machine was deallocated, or that it is allocated again.
    pub(crate) async fn set_deallocated(
        &self,
        vm: &ResourceId,
        deallocated: bool,
    ) -> Result<(), Error> {
        sqlx::query("UPDATE guest SET deallocated = ? WHERE vm = ?")
            .bind(deallocated)
            .bind(key_of(vm))
            .execute(&self.writer)
            .await
            .map_err(while_doing("write a guest"))?;
        Ok(())
    }

    /// Keeps what the agent said last.
    pub(crate) async fn put_report(
        &self,
        vm: &ResourceId,
        report: &Value,
    ) -> Result<(), Error> {
        sqlx::query("UPDATE guest SET report = ? WHERE vm = ?")
            .bind(encode(report, "agent's status")?)
            .bind(key_of(vm))
            .execute(&self.writer)
            .await
            .map_err(while_doing("write an agent's status"))?;
        Ok(())
    }

    /// Gives a handler new settings (`None`: takes it out of the goal state)
    /// and the goal state a new number, in one transaction. An operation that
    /// did so before it was interrupted does not do it again.
    ///
    /// Returns the sequence number to wait for and the goal state's number; nothing
    /// where the machine was deleted meanwhile.
    pub(crate) async fn assign(
        &self,
        vm: &ResourceId,
        handler: &str,
        version: &str,
        settings: Option<&Settings>,
        operation: &str,
    ) -> Result<Option<(u32, u64)>, Error> {
        let doing = while_doing("write an extension's settings");
        let sealed =
            self.sealed(&settings.cloned().unwrap_or_default(), "extension's settings")?;
        let mut transaction = self.write().await?;
        let there = sqlx::query("SELECT 1 FROM guest WHERE vm = ?")
            .bind(key_of(vm))
            .fetch_optional(&mut *transaction)
            .await
            .map_err(&doing)?;
        if there.is_none() {
            return Ok(None);
        }
        let changed = sqlx::query(
            "INSERT INTO plugin (vm, handler, version, sequence, operation, enabled, settings)
             VALUES (?, ?, ?, 0, ?, ?, ?)
             ON CONFLICT (vm, handler) DO UPDATE SET
                 version = excluded.version,
                 sequence = plugin.sequence + 1,
                 operation = excluded.operation,
                 enabled = excluded.enabled,
                 settings = excluded.settings
             WHERE plugin.operation <> excluded.operation",
        )
        .bind(key_of(vm))
        .bind(handler)
        .bind(version)
        .bind(operation)
        .bind(settings.is_some())
        .bind(sealed)
        .execute(&mut *transaction)
        .await
        .map_err(&doing)?
        .rows_affected();
        if changed > 0 {
            sqlx::query("UPDATE guest SET incarnation = incarnation + 1 WHERE vm = ?")
                .bind(key_of(vm))
                .execute(&mut *transaction)
                .await
                .map_err(&doing)?;
        }
        let (sequence, incarnation): (i64, i64) = sqlx::query_as(
            "SELECT plugin.sequence, guest.incarnation FROM plugin JOIN guest USING (vm)
             WHERE vm = ? AND handler = ?",
        )
        .bind(key_of(vm))
        .bind(handler)
        .fetch_one(&mut *transaction)
        .await
        .map_err(&doing)?;
        transaction.commit().await.map_err(&doing)?;
        Ok(Some((sequence_number(sequence), incarnation.unsigned_abs())))
    }

    /// Takes a handler out of the goal state without announcing it: the next
    /// goal state simply does not name it, and its settings are forgotten.
    pub(crate) async fn retire(
        &self,
        vm: &ResourceId,
        handler: &str,
        operation: &str,
    ) -> Result<(), Error> {
        sqlx::query(
            "UPDATE plugin SET enabled = 0, settings = ?
             WHERE vm = ? AND handler = ? AND operation = ?",
        )
        .bind(self.sealed(&Settings::default(), "extension's settings")?)
        .bind(key_of(vm))
        .bind(handler)
        .bind(operation)
        .execute(&self.writer)
        .await
        .map_err(while_doing("retire an extension"))?;
        Ok(())
    }

    /// Every handler that a machine was ever given, in order of name.
    pub(crate) async fn plugins(&self, vm: &ResourceId) -> Result<Vec<Plugin>, Error> {
        let rows = sqlx::query("SELECT * FROM plugin WHERE vm = ? ORDER BY handler")
            .bind(key_of(vm))
            .fetch_all(&self.pool)
            .await
            .map_err(while_doing("read extension settings"))?;
        rows.iter().map(|row| self.read_plugin(row)).collect()
    }

    fn read_plugin(&self, row: &SqliteRow) -> Result<Plugin, Error> {
        let column = while_doing("read extension settings");
        let sequence: i64 = row.try_get("sequence").map_err(&column)?;
        let settings: Vec<u8> = row.try_get("settings").map_err(&column)?;
        Ok(Plugin {
            handler: row.try_get("handler").map_err(&column)?,
            version: row.try_get("version").map_err(&column)?,
            sequence: sequence_number(sequence),
            enabled: row.try_get("enabled").map_err(&column)?,
            settings: self.unsealed(&settings, "extension's settings")?,
        })
    }

    fn read_guest(&self, row: &SqliteRow) -> Result<Guest, Error> {
        let column = while_doing("read a guest");
        let incarnation: i64 = row.try_get("incarnation").map_err(&column)?;
        let tenant: Vec<u8> = row.try_get("tenant").map_err(&column)?;
        let report: Option<String> = row.try_get("report").map_err(&column)?;
        Ok(Guest {
            machine: row.try_get("machine").map_err(&column)?,
            deallocated: row.try_get("deallocated").map_err(&column)?,
            incarnation: incarnation.unsigned_abs(),
            tenant: self.unsealed(&tenant, "tenant certificate")?,
            report: report.map(|text| decode(&text, "agent's status")).transpose()?,
        })
    }
}

/// Sequence numbers grow by one per deployment: they never reach the end.
fn sequence_number(stored: i64) -> u32 {
    u32::try_from(stored).unwrap_or(u32::MAX)
}

/// SQLite's integers are signed; goal states are counted from one.
fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
