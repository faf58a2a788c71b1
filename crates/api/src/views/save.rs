//! Saves as they are shown to those who may begin from them.

use pierhead_controller::SaveChanges;
use pierhead_engine::merge::{Change, ChangeKind};
use pierhead_model::{EngineId, Save, SaveState, SavedFiles};
use pierhead_wire::{FileChangeView, SaveChangesView, SaveView, SavedContainerView, format_timestamp};

/// A save, in a pool that has a registry for them or not.
pub(crate) fn save(save: &Save, has_registry: bool) -> SaveView {
    let why = match save.state {
        SaveState::Saving => Some("it is being made"),
        SaveState::SingleCopy if has_registry => {
            Some("neither the registry nor a second host has it yet: if its host is lost, so is this save")
        }
        SaveState::SingleCopy => Some("no second host has it yet: if its host is lost, so is this save"),
        SaveState::Complete => None,
    };
    let files = |files: &SavedFiles| SavedContainerView {
        name: files.name.to_string(),
        image: files.image.to_string(),
        image_id: files.image_id.clone(),
        base: files.base.to_string(),
        bytes: files.layer_bytes,
    };
    SaveView {
        id: save.id.to_string(),
        name: save.name.clone(),
        owner: save.owner.to_string(),
        workspace: save.workspace.to_string(),
        environment: save.environment.to_string(),
        version: save.version,
        automatic: save.automatic,
        state: save.state.as_str().to_owned(),
        why: why.map(str::to_owned),
        bytes: save.bytes,
        containers: save.containers.iter().map(files).collect(),
        copies: save.copies.iter().map(EngineId::to_string).collect(),
        registry: save.registry.as_ref().map(|copy| copy.repository.clone()),
        moved_bytes: save.moved_bytes,
        created_at: format_timestamp(save.created_at),
    }
}

/// How a container of a save differs.
pub(crate) fn save_changes(changes: &SaveChanges) -> SaveChangesView {
    let file = |change: &Change| FileChangeView {
        path: change.path.clone(),
        kind: match change.kind {
            ChangeKind::Added => "added",
            ChangeKind::Changed => "changed",
            ChangeKind::Removed => "removed",
        }
        .to_owned(),
        is_folder: change.is_folder,
        bytes_before: change.bytes_before,
        bytes: change.bytes,
    };
    let SaveChanges { container, changes } = changes;
    SaveChangesView {
        container: container.to_string(),
        added: changes.added,
        changed: changes.changed,
        removed: changes.removed,
        files: changes.first.iter().map(file).collect(),
    }
}
