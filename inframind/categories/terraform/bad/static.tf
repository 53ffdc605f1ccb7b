variable "region" {
  type    = string
  default = lower("EU-CENTRAL-1")
}
