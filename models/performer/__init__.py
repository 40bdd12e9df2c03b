"""The engine `jamflow`: the joint model asked for one performance, of speech, of lips, or of both."""
