//! Signatures: the published answers, and keys and signatures that a careless reader would take.

use super::*;

fn bytes<const N: usize>(hex: &str) -> [u8; N] {
    let byte = |at: usize| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap();
    assert_eq!(hex.len(), 2 * N);
    std::array::from_fn(byte)
}

/// RFC 8032, 7.1: secret, public, message, signature.
const RFC: [(&str, &str, &[u8], &str); 3] = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        b"",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        &[0x72],
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        &[0xaf, 0x82],
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
];

#[test]
fn signatures_are_those_of_rfc_8032() {
    for (secret, public, message, wanted) in RFC {
        let signer = Signer::of(&bytes(secret));
        assert_eq!(signer.public().bytes(), bytes(public));
        let signature = signer.sign(message).unwrap();
        assert_eq!(signature, bytes(wanted));
        assert!(signer.public().verifies(message, &signature));
        assert!(!signer.public().verifies(b"another", &signature));
    }
}

/// Points of small order, and y not reduced: with the first ones a signature can be made that
/// fits every message.
#[test]
fn weak_and_odd_public_keys_are_none() {
    let mut one = [0; 32];
    one[0] = 1;
    let mut minus_one = [0xff; 32];
    (minus_one[0], minus_one[31]) = (0xec, 0x7f);
    let mut not_reduced = [0xff; 32];
    (not_reduced[0], not_reduced[31]) = (0xee, 0x7f);
    let order_eight = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a";
    // y = 2 is on no point of the curve.
    let mut none = [0; 32];
    none[0] = 2;
    for key in [
        [0; 32],
        one,
        minus_one,
        not_reduced,
        bytes(order_eight),
        none,
    ] {
        assert!(PublicKey::of(&key).is_none(), "{key:02x?}");
    }
}

/// 3 + p instead of 3: the same point, another text, so another id.
#[test]
fn a_public_key_has_one_form() {
    let shortest = (3_u8..19).find_map(|y| {
        let mut key = [0; 32];
        key[0] = y;
        PublicKey::of(&key).map(|_| y)
    });
    let y = shortest.expect("half of all y are on the curve");
    let mut longer = [0xff; 32];
    (longer[0], longer[31]) = (0xed + y, 0x7f);
    assert!(VerifyingKey::from_bytes(&longer).is_ok());
    assert!(PublicKey::of(&longer).is_none());
}

/// The point of order 1 as R and 0 as S fits every message under a key of small order.
#[test]
fn a_signature_of_small_order_fits_nothing() {
    let signer = Signer::random().unwrap();
    let mut signature = [0; 64];
    signature[0] = 1;
    assert!(!signer.public().verifies(b"", &signature));
    assert!(!signer.public().verifies(b"", &[0; 64]));
    assert!(!signer.public().verifies(b"", &[0xff; 64]));
}

#[test]
fn public_keys_are_read_as_they_are_written_and_in_no_other_form() {
    let key = Signer::random().unwrap().public().clone();
    let text = key.to_string();
    assert_eq!(PublicKey::parse(&text).unwrap(), key);
    let rest = &text[PUBLIC.len()..];
    for wrong in [
        "",
        rest,
        PUBLIC,
        &format!("{text} "),
        &format!("ED25519:{rest}"),
        &text[..text.len() - 1],
        &format!("{PUBLIC}{}", "A".repeat(10_000)),
    ] {
        let refused = PublicKey::parse(wrong).unwrap_err().to_string();
        assert!(
            refused.contains("is no public key") && refused.len() < 200,
            "{refused}"
        );
    }
}

#[test]
fn a_private_key_is_read_in_both_forms() {
    let signer = Signer::random().unwrap();
    let pem = signer.pem().unwrap();
    assert_eq!(Signer::parse(&pem).unwrap().public(), signer.public());
    let own = format!("{OWN}{}\n", Base64::encode_string(&bytes::<32>(RFC[0].0)));
    assert_eq!(
        Signer::parse(&own).unwrap().public().bytes(),
        bytes(RFC[0].1)
    );
    for wrong in [
        "",
        OWN,
        &own[OWN.len()..],
        &own[..own.len() - 2],
        &format!("{own}A"),
    ] {
        assert!(Signer::parse(wrong).is_none());
    }
}
