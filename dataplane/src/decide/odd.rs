//! What says that it is something else, and is SCCP: a filter must not believe a name that the receiver behind it does not look at.
//! Asked only where the name would have been a way out.

use protocols::sccp::Unitdata;
use protocols::sctp::Adaptation;
use protocols::xua::{Message, Messages};
use protocols::{Layer, m2pa, m2ua, m3ua, mtp3, sua, tcap};

use crate::world::Network;

/// The payload protocol identifier names another layer.
pub(crate) const PAYLOAD_PROTOCOL: &str = "another payload protocol's identifier";
/// The service indicator names another user part.
pub(super) const SERVICE: &str = "SCCP under another service indicator";

/// Whether a user part is a UDT, XUDT or LUDT through and through: addresses that can be read, and a TCAP message or a segment of one.
pub(super) fn is_sccp(user_data: &[u8], network: &Network) -> bool {
    Unitdata::parse(user_data, network.sccp()).is_ok_and(|unit| {
        let segment = unit.segmentation.is_some_and(|piece| !(piece.first && piece.remaining == 0));
        !unit.kind.is_service()
            && !unit.called_party.malformed
            && !unit.calling_party.malformed
            && (segment || tcap::Message::parse(unit.data).is_ok())
    })
}

/// Whether a message is one of this layer, with a user of SCCP.
pub(crate) fn has_sccp(message: &Message<'_>, adaptation: Adaptation, network: &Network) -> bool {
    let msu = |msu| mtp3::Msu::parse(msu, network.variant).is_ok_and(|msu| is_sccp(msu.user_data, network));
    match adaptation {
        Adaptation::M3ua => m3ua::Data::of(message).is_ok_and(|data| is_sccp(data.user_data, network)),
        Adaptation::M2ua => m2ua::Data::of(message).is_ok_and(|data| msu(data.msu)),
        Adaptation::M2pa => m2pa::Data::of(message).is_ok_and(|data| msu(data.msu)),
        Adaptation::Sua => sua::Cldt::of(message).is_ok_and(|cldt| tcap::Message::parse(cldt.data).is_ok()),
    }
}

/// The layer whose DATA a message of this class is, RFC 4666 §3.1.2 and alike: they share the numbers.
pub(crate) const fn of_class(class: u8) -> Option<Adaptation> {
    match class {
        1 => Some(Adaptation::M3ua),
        6 => Some(Adaptation::M2ua),
        7 => Some(Adaptation::Sua),
        11 => Some(Adaptation::M2pa),
        _ => None,
    }
}

/// The layer that `bytes` are of, where they hold a message of it with a user of SCCP. Whatever the port: operators use others too.
pub(crate) fn of_content(bytes: &[u8], network: &Network) -> Option<Adaptation> {
    Messages::new(Layer::Sctp, bytes).map_while(Result::ok).find_map(|message| {
        let adaptation = of_class(message.class)?;
        has_sccp(&message, adaptation, network).then_some(adaptation)
    })
}
