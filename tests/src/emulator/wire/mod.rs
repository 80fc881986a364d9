//! What goes over the wire: the Query protocol with its XML, the JSON protocols, signatures and errors.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/APIReference/programming.html> and
//! <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html>.

pub mod answer;
pub mod error;
pub mod marker;
pub mod params;
pub mod request;
pub mod signature;
pub mod xml;

pub use answer::Answer;
pub use error::Error;
pub use params::Params;
pub use request::{Protocol, Request};
pub use xml::Xml;
