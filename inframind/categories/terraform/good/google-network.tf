terraform {
  required_version = ">= 1.6"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.0"
    }
    random = {
      source = "hashicorp/random"
    }
  }
}

provider "google" {
  project = var.project
  region  = "europe-west3"
  default_labels = {
    team = "platform"
  }
}

variable "project" {
  type = string
}

resource "random_id" "suffix" {
  byte_length = 4
}

resource "google_compute_network" "vpc" {
  name                    = "main"
  auto_create_subnetworks = false
}

resource "google_compute_subnetwork" "private" {
  name                     = "private"
  ip_cidr_range            = "10.10.0.0/20"
  network                  = google_compute_network.vpc.id
  private_ip_google_access = true

  secondary_ip_range {
    range_name    = "pods"
    ip_cidr_range = "10.20.0.0/16"
  }
  log_config {
    aggregation_interval = "INTERVAL_5_SEC"
    flow_sampling        = 0.5
  }
}

resource "google_compute_firewall" "ssh" {
  name    = "allow-iap"
  network = google_compute_network.vpc.name
  allow {
    protocol = "tcp"
    ports    = ["22"]
  }
  source_ranges = ["35.235.240.0/20"]
}

resource "google_storage_bucket" "assets" {
  name                        = "assets-${random_id.suffix.hex}"
  location                    = "EU"
  uniform_bucket_level_access = true
  versioning {
    enabled = true
  }
  lifecycle_rule {
    condition {
      age = 30
    }
    action {
      type = "Delete"
    }
  }
}

resource "google_container_cluster" "gke" {
  name               = "main"
  location           = "europe-west3"
  network            = google_compute_network.vpc.id
  subnetwork         = google_compute_subnetwork.private.id
  initial_node_count = 1
  ip_allocation_policy {
    cluster_secondary_range_name = google_compute_subnetwork.private.secondary_ip_range[0].range_name
  }
  workload_identity_config {
    workload_pool = "${var.project}.svc.id.goog"
  }
}

resource "google_sql_database_instance" "db" {
  database_version = "POSTGRES_15"
  settings {
    tier = "db-f1-micro"
    ip_configuration {
      ipv4_enabled    = false
      private_network = google_compute_network.vpc.id
    }
    backup_configuration {
      enabled = true
    }
  }
}

resource "google_compute_instance" "vm" {
  name         = "vm"
  machine_type = "e2-small"
  zone         = "europe-west3-a"
  boot_disk {
    initialize_params {
      image = "debian-cloud/debian-12"
    }
  }
  network_interface {
    subnetwork = google_compute_subnetwork.private.id
    access_config {}
  }
  metadata = { enable-oslogin = "TRUE" }
  service_account {
    scopes = ["cloud-platform"]
  }
}

output "ip" {
  value = google_compute_instance.vm.network_interface[0].network_ip
}

output "database" {
  value = google_sql_database_instance.db.connection_name
}
