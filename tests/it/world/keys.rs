//! Signing keys on the host, by `ring`. RSA keys are not made here but read: rsa_keys.json.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde_json::{Value, json};
use wxapi::platform::{Algorithm, KeyPair};
use wxapi::wechat::Secret;

const RSA_KEYS: &str = include_str!("rsa_keys.json");

/// A pair; the private half is PKCS #8 in Base64.
pub fn make(algorithm: Algorithm, number: usize) -> KeyPair {
    let private = match algorithm {
        Algorithm::Es256 => {
            let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
            STANDARD.encode(made.unwrap())
        }
        Algorithm::Rs256 => {
            let all: Vec<String> = serde_json::from_str(RSA_KEYS).unwrap();
            all[number % all.len()].clone()
        }
    };
    KeyPair { public: public(algorithm, &private), private: Secret::new(private) }
}

fn public(algorithm: Algorithm, private: &str) -> Value {
    let pkcs8 = STANDARD.decode(private).unwrap();
    match algorithm {
        Algorithm::Es256 => {
            let pair = ecdsa(&pkcs8);
            let point = pair.public_key().as_ref();
            let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
            json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y, "ext": true, "key_ops": ["verify"] })
        }
        Algorithm::Rs256 => {
            let pair = RsaKeyPair::from_pkcs8(&pkcs8).unwrap();
            let parts: RsaPublicKeyComponents<Vec<u8>> = pair.public_key().into();
            let (n, e) = (URL_SAFE_NO_PAD.encode(parts.n), URL_SAFE_NO_PAD.encode(parts.e));
            json!({ "kty": "RSA", "alg": "RS256", "n": n, "e": e, "ext": true, "key_ops": ["verify"] })
        }
    }
}

fn ecdsa(pkcs8: &[u8]) -> EcdsaKeyPair {
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, &SystemRandom::new()).unwrap()
}

pub fn sign(algorithm: Algorithm, private: &str, message: &[u8]) -> Vec<u8> {
    let pkcs8 = STANDARD.decode(private).unwrap();
    let random = SystemRandom::new();
    match algorithm {
        Algorithm::Es256 => ecdsa(&pkcs8).sign(&random, message).unwrap().as_ref().to_vec(),
        Algorithm::Rs256 => {
            let pair = RsaKeyPair::from_pkcs8(&pkcs8).unwrap();
            let mut signature = vec![0; pair.public().modulus_len()];
            pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
            signature
        }
    }
}

pub fn verify(algorithm: Algorithm, public: &Value, message: &[u8], signature: &[u8]) -> bool {
    let part = |name: &str| public[name].as_str().and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
    match algorithm {
        Algorithm::Es256 => {
            let (Some(x), Some(y)) = (part("x"), part("y")) else { return false };
            let point = [vec![4], x, y].concat();
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
        }
        Algorithm::Rs256 => {
            let (Some(n), Some(e)) = (part("n"), part("e")) else { return false };
            let key = RsaPublicKeyComponents { n, e };
            key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
        }
    }
}
