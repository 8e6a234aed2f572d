//! References between documents, turned round: who refers to this one.
//!
//! Every write of a document rewrites its rows, in the same transaction, so they
//! cannot differ from what it says. What is in use, what Azure shows as a back
//! reference and which virtual networks a change reaches are all asked here, at the
//! price of a look-up.

use arm::ResourceId;
use serde_json::{Value, json};
use sqlx::{Row, Sqlite, Transaction};

use super::resource::key_of;
use super::{Error, Resource, Store, decode, encode, while_doing};

/// One reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    /// The document that refers.
    pub(crate) source: ResourceId,
    /// The part of it that does; the document itself if it is in no part.
    pub(crate) holder: ResourceId,
    /// Key of what is referred to.
    pub(crate) target: String,
}

impl Store {
    /// Who refers to `target` or to a part of it, in order of the document's key.
    pub(crate) async fn links_to(&self, target: &ResourceId) -> Result<Vec<Link>, Error> {
        let key = key_of(target);
        let doing = while_doing("list references");
        let rows = sqlx::query(
            "SELECT resource.id AS source, link.holder, link.target
             FROM link JOIN resource ON resource.key = link.source
             WHERE link.target = ? OR (link.target >= ? AND link.target < ?)
             ORDER BY link.source, link.rowid",
        )
        .bind(&key)
        .bind(format!("{key}/"))
        .bind(format!("{key}0"))
        .fetch_all(&self.pool)
        .await
        .map_err(&doing)?;
        rows.iter()
            .map(|row| {
                let source: String = row.try_get("source").map_err(&doing)?;
                let holder: String = row.try_get("holder").map_err(&doing)?;
                let source =
                    ResourceId::parse(&source).map_err(|error| Error::Decode {
                        what: "reference",
                        source: serde::ser::Error::custom(error),
                    })?;
                // Clients may send parts with any id; the document's own is sure.
                let holder =
                    ResourceId::parse(&holder).unwrap_or_else(|_| source.clone());
                let target = row.try_get("target").map_err(&doing)?;
                Ok(Link { source, holder, target })
            })
            .collect()
    }

    /// Writes the references of documents that an older version of this server
    /// stored without.
    pub(super) async fn link_all(&self) -> Result<(), Error> {
        let doing = while_doing("index references");
        let mut transaction = self.write().await?;
        let rows = sqlx::query(
            "SELECT id, document FROM resource WHERE NOT EXISTS (SELECT 1 FROM link)",
        )
        .fetch_all(&mut *transaction)
        .await
        .map_err(&doing)?;
        for row in rows {
            let id: String = row.try_get("id").map_err(&doing)?;
            let document: String = row.try_get("document").map_err(&doing)?;
            if let Ok(id) = ResourceId::parse(&id) {
                write(&mut transaction, &id, &decode(&document, "resource")?).await?;
            }
        }
        transaction.commit().await.map_err(&doing)
    }
}

/// Replaces the references of a document.
pub(super) async fn write(
    transaction: &mut Transaction<'_, Sqlite>,
    id: &ResourceId,
    document: &Value,
) -> Result<(), Error> {
    if !counts(id) {
        return Ok(());
    }
    let doing = while_doing("write references");
    let key = key_of(id);
    sqlx::query("DELETE FROM link WHERE source = ?")
        .bind(&key)
        .execute(&mut **transaction)
        .await
        .map_err(&doing)?;
    let found = references(id, document);
    if found.is_empty() {
        return Ok(());
    }
    let found: Vec<Value> =
        found.into_iter().map(|(holder, target)| json!([holder, target])).collect();
    sqlx::query(
        "INSERT INTO link (source, holder, target)
         SELECT ?, value ->> 0, value ->> 1 FROM json_each(?)",
    )
    .bind(&key)
    .bind(encode(&found, "references")?)
    .execute(&mut **transaction)
    .await
    .map_err(&doing)?;
    Ok(())
}

/// Whether references of this kind of resource hold anything in use.
fn counts(id: &ResourceId) -> bool {
    let kind = id.resource_type().to_ascii_lowercase();
    kind.starts_with("microsoft.network/") || kind == "microsoft.compute/virtualmachines"
}

/// Every reference to another resource: who holds it, and the key of what it leads
/// to. ARM writes a reference as an object with an `id` and no `name`; a part of a
/// document has both.
fn references(id: &ResourceId, document: &Value) -> Vec<(String, String)> {
    let own = format!("{}/", key_of(id));
    let mut found = Vec::new();
    collect(document, id.as_str(), &own, &mut found);
    found
}

fn collect(value: &Value, holder: &str, own: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::Array(items) => {
            items.iter().for_each(|item| collect(item, holder, own, found));
        }
        Value::Object(fields) => {
            let id = fields.get("id").and_then(Value::as_str);
            let holder = match id {
                Some(id) if fields.contains_key("name") => id,
                Some(id) => {
                    let target = id.to_ascii_lowercase();
                    if !target.starts_with(own) {
                        found.push((holder.to_owned(), target));
                    }
                    holder
                }
                None => holder,
            };
            fields.values().for_each(|field| collect(field, holder, own, found));
        }
        _ => {}
    }
}

impl Resource {
    /// The keys of everything that the document refers to.
    pub(crate) fn targets(&self) -> Vec<String> {
        references(&self.id, &self.document)
            .into_iter()
            .map(|(_, target)| target)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_held_by_the_part_that_it_stands_in() {
        let nic = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/networkInterfaces/nic";
        let id = ResourceId::parse(nic).unwrap();
        let part = format!("{nic}/ipConfigurations/c");
        let document = json!({
            "id": nic, "name": "nic",
            "properties": {
                "networkSecurityGroup": { "id": "/NSG" },
                "ipConfigurations": [{
                    "id": part, "name": "c",
                    "properties": { "subnet": { "id": "/Vnet/Subnets/S" }, "self": { "id": format!("{nic}/x") } },
                }],
            },
        });
        let mut found = references(&id, &document);
        found.sort();
        let expected = [(nic, "/nsg"), (part.as_str(), "/vnet/subnets/s")];
        assert_eq!(found, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    }
}
