locals {
  name = uppercase("example")
}
