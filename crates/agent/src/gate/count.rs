//! How many files a workspace's container has made: looked at where the engine keeps them, as the engine does not tell.

use super::{Gate, TunnelBody, receive, told_json, unreachable};
use crate::allow::Access;
use crate::count::count;
use crate::engine::BodyError;
use crate::facts;
use crate::refusal::Refusal;
use hyper::body::{Body, Bytes};
use hyper::http::request::Parts;
use hyper::{Method, Response};
use pierhead_engine::{COUNT, Count, Counted};
use pierhead_model::WorkspaceOwnership;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Whether a request is such a one.
pub(super) fn is_asked(head: &Parts) -> bool {
    head.method == Method::POST && head.uri.path() == COUNT && head.uri.query().is_none()
}

impl Gate {
    pub(super) async fn counted<B>(&self, head: &Parts, body: B) -> Result<Response<TunnelBody>, Refusal>
    where
        B: Body<Data = Bytes> + Unpin,
        B::Error: Into<BodyError>,
    {
        self.terms.admit(Access::Read, &head.headers).await?;
        let json = receive::json(body).await?;
        let Count { container, most } =
            serde_json::from_slice(&json).map_err(|error| Refusal::malformed(error.to_string()))?;
        let told = facts::get::<Value>(&self.engine, &format!("/containers/{container}/json")).await;
        let told = told.map_err(|error| unreachable(&error))?;
        let labels: BTreeMap<String, String> =
            serde_json::from_value(told["Config"]["Labels"].clone()).unwrap_or_default();
        if WorkspaceOwnership::read(&labels).is_none() {
            return Err(Refusal::not_allowed("only files of workspaces are counted"));
        }
        let Some(layer) = layer(&told) else { return Ok(told_json(&Counted { files: None })) };
        let counted = tokio::task::spawn_blocking(move || count(&layer, most)).await;
        Ok(told_json(&Counted { files: counted.ok().and_then(Result::ok) }))
    }
}

/// Where the engine keeps what a container has written; not known of engines that keep it in another way.
fn layer(told: &Value) -> Option<PathBuf> {
    let driver = &told["GraphDriver"];
    let path = driver["Data"]["UpperDir"].as_str().filter(|_| driver["Name"] == "overlay2")?;
    let path = PathBuf::from(path);
    path.is_absolute().then_some(path)
}
