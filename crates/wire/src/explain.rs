//! Why something is where it is, or nowhere.

use crate::ImageDescription;
use serde::{Deserialize, Serialize};

/// Body of `POST /api/explain`: a request that nobody has made yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ExplainRequest {
    /// What would run.
    pub image: ImageDescription,
    /// How many; 1 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
}

/// Per host, why it was refused or what it scores; per slot, where it is or would be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExplainView {
    /// What is explained ("app web", "a run of 3 httpd:latest").
    pub subject: String,
    /// In a sentence or two.
    pub summary: String,
    /// Every host, for one more slot as the pool is now.
    pub hosts: Vec<HostExplanation>,
    /// Every slot.
    pub slots: Vec<SlotExplanation>,
}

/// What the planner thinks of one host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HostExplanation {
    /// The host.
    pub engine: String,
    /// Whether it comes into question.
    pub fits: bool,
    /// Whether it is the one that would be taken.
    pub chosen: bool,
    /// The filter that refused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// Why, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Its score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// The part of the score that is from CPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_part: Option<f64>,
    /// The part of the score that is from memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_part: Option<f64>,
}

/// Where one slot is or would be, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SlotExplanation {
    /// The slot.
    pub slot: u32,
    /// Its host, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// Its state, as in an app's slots.
    pub state: String,
    /// What is in its way, or what failed lately, in words.
    pub message: String,
}
