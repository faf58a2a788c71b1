//! What the images of other platforms become in labs that are imported: a table that administrators edit.

use super::{Actor, RequestError};
use crate::requests::events;
use crate::{Controller, keys};
use pierhead_lab::{ImageTable, MappedTo};
use pierhead_model::{EnvironmentId, EventTag, ImageReference};
use pierhead_store::{StoreJson, Transaction};

/// The most entries of the table.
const MOST: usize = 2_000;
/// The longest name of another platform's image, in bytes.
const LONGEST: usize = 256;

impl Controller {
    /// The table: that of well-known names until somebody writes another.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn lab_images(&self) -> Result<ImageTable, RequestError> {
        let found = self.store.get_json::<ImageTable>(keys::LAB_IMAGES).await?;
        Ok(found.map(|(table, _)| table).unwrap_or_default())
    }

    /// Writes another table.
    ///
    /// # Errors
    /// If a name or what it becomes can't be.
    pub async fn set_lab_images(&self, actor: &Actor, table: &ImageTable) -> Result<(), RequestError> {
        if table.images.len() > MOST {
            return Err(RequestError::Invalid {
                field: "images",
                expected: format!("a table of at most {MOST} names"),
            });
        }
        if table.images.keys().any(|name| name.is_empty() || name.len() > LONGEST || name.chars().any(char::is_control))
        {
            let expected = format!("a table whose names have 1 to {LONGEST} bytes without control characters");
            return Err(RequestError::Invalid { field: "images", expected });
        }
        for mapped in table.images.values() {
            check(mapped, "images")?;
        }
        check(&table.otherwise, "otherwise")?;
        let message = format!("images={}", table.images.len());
        let event = self.event(
            "change-lab-images",
            message,
            EventTag::Cluster,
            Some(&actor.username),
            events::Subject::default(),
        );
        let transaction = Transaction::new().put_json(keys::LAB_IMAGES, table)?;
        self.store.commit(events::append(transaction, &event)?).await?;
        Ok(())
    }
}

fn check(mapped: &MappedTo, field: &'static str) -> Result<(), RequestError> {
    let expected = match mapped {
        MappedTo::Environment(name) => EnvironmentId::parse(name.as_str()).err(),
        MappedTo::Image { image, .. } => ImageReference::parse(image).err(),
    };
    match expected {
        None => Ok(()),
        Some(invalid) => {
            Err(RequestError::Invalid { field, expected: format!("names of images and environments; {invalid}") })
        }
    }
}
