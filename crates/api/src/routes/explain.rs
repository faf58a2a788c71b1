//! Why something is where it is, or would be.

use super::apps::not_found;
use crate::body::{Body, Path};
use crate::identity::Caller;
use crate::{Api, ApiError, views};
use axum::Json;
use axum::extract::State;
use pierhead_model::{App, AppId, AppName, Member, MemberName, Timestamp};
use pierhead_wire::{ExplainRequest, ExplainView};
use std::collections::BTreeMap;

pub(super) async fn app(State(api): State<Api>, Path(name): Path) -> Result<Json<ExplainView>, ApiError> {
    let (known, now) = (api.controller.known(), api.controller.clock().now());
    let app = known.world.app_named(&name).ok_or_else(|| not_found(&name))?;
    Ok(Json(views::explain_app(&known.world, app, now)))
}

pub(super) async fn container(State(api): State<Api>, Path(id): Path) -> Result<Json<ExplainView>, ApiError> {
    let container = api.controller.find_container(&id)?;
    let (known, now) = (api.controller.known(), api.controller.clock().now());
    let slot = container.slot.as_ref();
    let app = slot.and_then(|slot| known.world.apps().get(&slot.app));
    let (Some(slot), Some(app)) = (slot, app) else {
        return Err(ApiError::not_found(
            "this container was not made by Pierhead, which therefore can't say why it is there",
        ));
    };
    Ok(Json(views::explain_slot(&known.world, app, slot.slot, now)))
}

/// A request that nobody has made yet: placed one by one on a copy of the ledger.
pub(super) async fn request(
    State(api): State<Api>,
    caller: Caller,
    body: Body<ExplainRequest>,
) -> Result<Json<ExplainView>, ApiError> {
    let actor = caller.actor();
    let spec = body
        .value
        .image
        .to_spec(&api.defaults)
        .map_err(|error| ApiError::field(format!("image.{}", error.field), format!("image.{}", error.message)))?;
    let count = body.value.count.unwrap_or(1);
    if !(1..=2_000).contains(&count) {
        return Err(ApiError::field("count", "count must be a number from 1 to 2000"));
    }
    let known = api.controller.known();
    let app = App {
        id: AppId(String::new()),
        name: AppName::parse("request").map_err(|invalid| ApiError::field("image", invalid.to_string()))?,
        owner: actor.username,
        transient: true,
        members: vec![Member { name: MemberName::main(), spec }],
        newest_version: 1,
        former: None,
        taken_back: None,
        links_to_all: actor.may_run_privileged,
        version: 1,
        slots: BTreeMap::new(),
        next_slot: 0,
        created_at: Timestamp(0),
    };
    Ok(Json(views::explain_request(&known.world, &app, count)))
}
