"""age files, signatures, Merkle trees and canonical encoding: pure functions over bytes and streams."""
